import ArgumentParser
import Matching
import Store

/// Makes a key and shows it, once.
struct CreateKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Create an API key and print it.",
    discussion: "This is the only time the key is shown: the database has no more of it than its SHA-256.")

  @Option(
    help: """
      The tenant that the key belongs to; made if there is none of that name. '*' is no tenant: the key acts in the one that a \
      call names.
      """)
  var tenant: String

  @Option(help: "What the key may be used for.")
  var role: Role

  @Option(help: "What people call the key.")
  var name: String

  @Option(
    name: .customLong("expires-at"), help: "When the key ends by itself, as 2027-01-01T00:00:00Z; never by default.")
  var expiresAt: Timestamp?

  @Option(
    name: .customLong("allow"),
    help: "A network in CIDR form that the key may be used from, once for each; from everywhere by default.")
  var allowedCIDRs: [String] = []

  @Flag(help: "Take the key from standard input, not a new one. A key that is there already is left as it is.")
  var keyFromInput = false

  func validate() throws {
    for (option, text) in [("--tenant", tenant), ("--name", name)] {
      let scalars = text.unicodeScalars
      guard (1...255).contains(scalars.count), !scalars.contains(where: { $0.value < 32 }) else {
        throw ValidationError("\(option) takes 1 to 255 characters, none of them a control character")
      }
    }
    for network in allowedCIDRs where Network(network) == nil {
      throw ValidationError("--allow takes a network in CIDR form such as 203.0.113.0/24, not \(network)")
    }
  }

  func run() throws {
    let store = try Database.store()
    let key = keyFromInput ? try readKey() : KeyForm.make()
    if let known = try store.storedKey(key) {
      try check(known)
    } else {
      let draft = KeyDraft(name: name, role: role, expiresAt: expiresAt, allowedCIDRs: allowedCIDRs)
      try store.createKey(key, tenant: tenant, draft)
    }
    print(key)
  }

  private func check(_ known: Key) throws {
    guard known.status == .active else {
      throw Failure("this key was made before, is \(known.status.rawValue) and stays so: choose another")
    }
    guard known.tenant == tenant, known.role == role else {
      throw Failure("this key is there already, of the tenant \(known.tenant) with the role \(known.role.rawValue)")
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
