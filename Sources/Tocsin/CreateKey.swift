import ArgumentParser
import Store

/// Makes a key and shows it, once.
struct CreateKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create an API key and print it.",
    discussion: "This is the only time the key is shown: the database has no more of it than its SHA-256.")

  @Option(help: "The tenant that the key belongs to; made if there is none of that name.")
  var tenant: String

  @Option(help: "What the key may be used for.")
  var role: Role

  @Option(help: "What people call the key.")
  var name: String

  @Flag(help: "Take the key from standard input, not a new one. A key that is there already is left as it is.")
  var keyFromInput = false

  func validate() throws {
    for (option, text) in [("--tenant", tenant), ("--name", name)] {
      let scalars = text.unicodeScalars
      guard (1...255).contains(scalars.count), !scalars.contains(where: { $0.value < 32 }) else {
        throw ValidationError("\(option) takes 1 to 255 characters, none of them a control character")
      }
    }
  }

  func run() throws {
    let store = try Database.store()
    let key = keyFromInput ? try readKey() : KeyForm.make()
    if let caller = try store.authenticate(key: key) {
      guard caller.tenant == tenant, caller.role == role else {
        throw Failure("this key is there already, of the tenant \(caller.tenant) with the role \(caller.role.rawValue)")
      }
    } else {
      try create(key, in: store)
    }
    print(key)
  }

  private func create(_ key: String, in store: Store) throws {
    do {
      try store.createKey(key, tenant: tenant, name: name, role: role)
    } catch {
      // Only its digest tells that it is there, so it does not work any more.
      if error.isUniqueViolation { throw Failure("this key was revoked and stays so: choose another") }
      throw error
    }
  }

  private func readKey() throws -> String {
    let key = readLine() ?? ""
    guard (1...512).contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw Failure("a key is one line of 1 to 512 visible ASCII characters without blanks")
    }
    if KeyForm.isMistyped(key) {
      throw Failure("the key looks like one of tocsin's, but its checksum is wrong: choose another")
    }
    return key
  }
}
