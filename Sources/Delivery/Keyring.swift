import JSON

/// The keys under which the secrets of providers are sealed in the database: the first seals, all of them open.
///
/// As text, each line is a key: an id, a space and 64 hexadecimal digits. Lines that begin with `#` are passed over.
package struct Keyring: Sendable, Equatable {
  private struct MasterKey: Sendable, Equatable {
    let id: String
    let bytes: [UInt8]
  }

  private var keys: [MasterKey]

  /// A ring with one new key.
  package init() { keys = [Self.newKey()] }

  /// The ring that a text holds, of which each fault is told by its line and never by its content.
  package init(text: String) throws(KeyringFault) {
    keys = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      if words.isEmpty || words[0].hasPrefix("#") { continue }
      guard words.count == 2, Self.isID(words[0]), let bytes = Hexadecimal.decoded(words[1]),
        bytes.count == AuthenticatedEncryption.keySize
      else { throw KeyringFault("line \(index + 1) must be an id, a space and 64 hexadecimal digits") }
      guard !keys.contains(where: { $0.id == words[0] }) else {
        throw KeyringFault("line \(index + 1) has the id of another key")
      }
      keys.append(MasterKey(id: String(words[0]), bytes: bytes))
    }
    if keys.isEmpty { throw KeyringFault("there is no key in it") }
  }

  /// The ring as text: secret.
  package var text: String { keys.map { "\($0.id) \(Hexadecimal.encoded($0.bytes))\n" }.joined() }

  /// The ids of the keys, the sealing one first.
  package var ids: [String] { keys.map(\.id) }

  /// Adds a new key, which seals from now on.
  package mutating func rotate() { keys.insert(Self.newKey(), at: 0) }

  /// Keeps the sealing key alone.
  package mutating func forgetOthers() { keys.removeLast(keys.count - 1) }

  /// A secret as it is stored: `{"sealed": "KEY:BASE64"}`, to be opened only for the same place.
  func sealed(_ secret: JSONValue, for place: [String]) -> JSONValue {
    let bytes = AuthenticatedEncryption.sealed(secret.json, key: keys[0].bytes, boundTo: Self.data(place))
    return .object(["sealed": .string("\(keys[0].id):\(Base64.encoded(bytes))")])
  }

  /// The secret in a stored one. One that never was sealed is answered as it is.
  func opened(_ stored: JSONValue, for place: [String]) throws(SealFault) -> JSONValue {
    guard let sealed = Self.sealedText(stored) else { return stored }
    let parts = sealed.split(separator: ":", maxSplits: 1)
    // The last character may have bits that stand for nothing: they have to be as they were written.
    guard parts.count == 2, let bytes = Base64.decoded(String(parts[1])), Base64.encoded(bytes) == parts[1] else {
      throw .damaged
    }
    guard let key = keys.first(where: { $0.id == parts[0] }) else { throw .unknownKey(id: String(parts[0])) }
    guard let secret = AuthenticatedEncryption.opened(bytes, key: key.bytes, boundTo: Self.data(place)) else {
      throw .damaged
    }
    do {
      return try JSONValue(parsing: secret)
    } catch {
      throw .damaged
    }
  }

  /// The text of a secret that is sealed; nil for one that is not: secrets themselves are no objects.
  static func sealedText(_ stored: JSONValue) -> String? { stored.object?["sealed"]?.string }

  /// The id of the key that a stored secret is sealed with.
  static func keyID(of stored: JSONValue) -> String? {
    sealedText(stored).flatMap { $0.split(separator: ":").first.map(String.init) }
  }

  /// No two places give the same bytes: none of their parts has a NUL in it.
  private static func data(_ place: [String]) -> [UInt8] { Array(place.joined(separator: "\0").utf8) }

  private static func isID(_ text: Substring) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "-") }
  }

  private static func newKey() -> MasterKey {
    var random = SystemRandomNumberGenerator()
    let bytes = { (count: Int) in (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
    return MasterKey(id: "key-" + Hexadecimal.encoded(bytes(4)), bytes: bytes(AuthenticatedEncryption.keySize))
  }
}

/// What is wrong with the text of a ``Keyring``.
package struct KeyringFault: Error, Equatable, CustomStringConvertible {
  /// The fault, for a person, without anything of a key.
  package let description: String

  init(_ description: String) { self.description = description }
}

/// Why a sealed secret cannot be opened.
package enum SealFault: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no key of this id.
  case unknownKey(id: String)
  /// There are no keys at all.
  case noKeys
  /// It was changed, or belongs to another provider.
  case damaged

  package var description: String {
    switch self {
    case .unknownKey(let id):
      "its secrets are sealed with the key \(id), which the file of ALERTING_MASTER_KEY_FILE has not"
    case .noKeys: "its secrets are sealed, and ALERTING_MASTER_KEY_FILE is not set"
    case .damaged: "its sealed secrets were changed, or belong to another provider"
    }
  }
}
