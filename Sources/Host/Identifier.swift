/// Names for new things: unique on every host without asking anybody, and in the order they were made.
package enum Identifier {
  /// A prefix with a UUID of version 7 behind it (RFC 9562, section 5.7): `alert-0195c8f0-…`, 48 bits of Unix milliseconds
  /// and 74 random ones.
  package static func make(_ prefix: String) -> String {
    let random = UInt128.random(in: 0 ... .max)  // one call to the system instead of two
    return prefix
      + uuid(
        milliseconds: UInt64(Clock.milliseconds),
        random: (UInt64(truncatingIfNeeded: random >> 64), UInt64(truncatingIfNeeded: random)))
  }

  /// Whether a text is a UUID in its usual form, of any version.
  package static func isUUID(_ text: String) -> Bool {
    text.utf8.count == 36
      && text.utf8.enumerated().allSatisfy { place, byte in
        [8, 13, 18, 23].contains(place)
          ? byte == UInt8(ascii: "-") : byte < 0x80 && Character(Unicode.Scalar(byte)).isHexDigit
      }
  }

  /// The text of a UUIDv7 made of a time and random bits, of which the version and the variant take their places.
  package static func uuid(milliseconds: UInt64, random: (UInt64, UInt64)) -> String {
    let high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
    let low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    return String(unsafeUninitializedCapacity: 36) { text in
      var length = 0
      for digit in 0..<32 {
        if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
          text[length] = UInt8(ascii: "-")
          length += 1
        }
        let word = digit < 16 ? high : low
        let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - digit % 16 * 4)) & 0xF
        text[length] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
        length += 1
      }
      return length
    }
  }
}
