import Delivery

/// How a key looks that is made here: `tocsin_`, 256 random bits in 64 hexadecimal digits, and a checksum in 8 more.
///
/// Programs that look for leaked secrets know it by the prefix. By the checksum a typo is told from a wrong key without asking
/// anybody; it says nothing that the key itself does not say.
package enum KeyForm {
  private static let prefix = "tocsin_"
  private static let checksumLength = 8
  private static let length = prefix.utf8.count + 64 + checksumLength

  /// A new key.
  package static func make() -> String {
    var random = SystemRandomNumberGenerator()
    let bytes = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
    let key = prefix + Hexadecimal.encoded(bytes)
    return key + checksum(of: key.utf8)
  }

  /// Whether a text looks like such a key and cannot be one. Keys of any other form, chosen by an operator or made before there
  /// were checksums, are none of it.
  package static func isMistyped(_ key: String) -> Bool {
    guard key.utf8.count == length, key.hasPrefix(prefix),
      key.utf8.dropFirst(prefix.utf8.count).allSatisfy(isAlphanumeric)
    else { return false }
    return !key.utf8.suffix(checksumLength).elementsEqual(checksum(of: key.utf8.dropLast(checksumLength)).utf8)
  }

  /// A text with a mask for each key in it: somebody may take a key for its id, and have it where it is written down.
  package static func masked(in text: String) -> String {
    guard let start = text.firstRange(of: prefix)?.upperBound else { return text }
    let digits = text[start...].prefix { $0.isHexDigit }
    let isKey = digits.utf8.count >= 64
    return text[..<start] + (isKey ? "********" : digits) + masked(in: String(text[digits.endIndex...]))
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    byte &- UInt8(ascii: "0") < 10 || (byte | 0x20) &- UInt8(ascii: "a") < 26
  }

  /// The CRC-32 of zlib, gzip and PNG, which misses no change of up to four neighbouring characters. Not by zlib, which would be
  /// a library more in every program, for 71 bytes.
  private static func checksum(of text: some Sequence<UInt8>) -> String {
    let remainder = text.reduce(UInt32.max) { remainder, byte in
      (0..<8).reduce(remainder ^ UInt32(byte)) { rest, _ in rest >> 1 ^ (rest & 1) &* 0xEDB8_8320 }
    }
    return Hexadecimal.encoded((0..<4).map { UInt8(truncatingIfNeeded: ~remainder >> (24 - 8 * $0)) })
  }
}
