import ArgumentParser
import Glibc
import Host
import Store

/// Makes a new master key and seals every provider's secrets with it.
struct RotateMaster: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rotate-master",
    abstract: "Seal the secrets of all providers with a new master key.",
    discussion: """
      The file that ALERTING_MASTER_KEY_FILE names gets a new key, or is made with one. The keys before it stay, so that nothing \
      is lost that another host seals meanwhile: copy the file to all hosts, then take the old keys out with --forget.
      """)

  @Flag(help: "Take the keys out of the file that seal nothing any more, instead of making a new one.")
  var forget = false

  func run() throws {
    guard let path = Environment["ALERTING_MASTER_KEY_FILE"], !path.isEmpty else {
      throw Failure("ALERTING_MASTER_KEY_FILE is not set: it names the file with the master keys")
    }
    let store = try Database.store()
    if forget { return try forgetOld(try MasterKeys(path: path), in: store) }
    if access(path, F_OK) == 0 {
      let keys = try MasterKeys(path: path)
      try keys.change { $0.rotate() }
      store.masterKeys = keys
    } else {
      try MasterKeys.make(at: path)
      store.masterKeys = try MasterKeys(path: path)
    }
    let resealed = try store.resealProviders()
    let key = store.masterKeys?.keyring.ids.first ?? ""
    print("The master key is \(key); providers sealed with it anew: \(resealed.count)")
    guard resealed.failures.isEmpty else {
      throw Failure("these have to be given their secrets anew: " + resealed.failures.joined(separator: "; "))
    }
  }

  /// Looks once more after the keys are gone: whoever sealed with one in that moment would be lost.
  private func forgetOld(_ keys: MasterKeys, in store: Store) throws {
    let old = keys.keyring
    try refuse(ifUsed: old.ids.dropFirst(), in: store)
    try keys.change { $0.forgetOthers() }
    do {
      try refuse(ifUsed: old.ids.dropFirst(), in: store)
    } catch {
      try keys.change { $0 = old }
      throw error
    }
    print("Master keys taken out of the file: \(old.ids.count - 1)")
  }

  private func refuse(ifUsed ids: ArraySlice<String>, in store: Store) throws {
    let used = try store.sealingKeys().intersection(ids)
    guard used.isEmpty else {
      throw Failure("secrets are still sealed with \(used.sorted().joined(separator: ", ")): run rotate-master first")
    }
  }
}
