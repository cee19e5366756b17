import Delivery

/// The SHA-256 of a key: all of it that is stored or remembered. Keys are 256 random bits, so that a slow hash would add nothing.
package struct KeyDigest: Hashable, Sendable {
  let bytes: [UInt8]

  /// The digest of a key.
  package init(of key: String) { bytes = Digest.sha256(Array(key.utf8)) }

  /// The digest that hexadecimal digits stand for; nil where they stand for nothing.
  init?(text: String) {
    guard let bytes = Hexadecimal.decoded(text) else { return nil }
    self.bytes = bytes
  }

  /// Each byte of a digest is as good as any other to tell it from the rest.
  package func hash(into hasher: inout Hasher) { hasher.combine(bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }) }

  /// It in hexadecimal digits.
  package var text: String { Hexadecimal.encoded(bytes) }
}
