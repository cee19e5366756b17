/// Names for new things: unique on every host without asking anybody, and in the order they were made.
package enum Identifier {
  /// A prefix with a UUID of version 7 behind it (RFC 9562, section 5.7): `alert-0195c8f0-…`, 48 bits of Unix milliseconds
  /// and 74 random ones.
  package static func make(_ prefix: String) -> String {
    prefix + uuid(milliseconds: UInt64(Clock.milliseconds), random: (.random(in: 0 ... .max), .random(in: 0 ... .max)))
  }

  /// The text of a UUIDv7 made of a time and random bits, of which the version and the variant take their places.
  package static func uuid(milliseconds: UInt64, random: (UInt64, UInt64)) -> String {
    let high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    var text = ""
    for (index, byte) in (bytes(high) + bytes(low)).enumerated() {
      if [4, 6, 8, 10].contains(index) { text += "-" }
      text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
    return text
  }

  private static func bytes(_ word: UInt64) -> [UInt8] {
    stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: word >> UInt64($0)) }
  }
}
