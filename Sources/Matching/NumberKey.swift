/// Decimal numbers as bytes that are equal where the numbers are equal and in the order of the numbers, exactly, whatever their
/// length: numbers are compared by `memcmp` and looked up by hash.
///
/// A key is a sign byte (0 negative, 1 zero, 2 positive) and, but for zero, the place of the first significant digit (64 bits,
/// big-endian, its sign bit flipped) and the significant digits. In a negative number all of that is complemented and a byte
/// 0xFF ends it, so that the larger magnitude comes first.
enum NumberKey {
  /// Exponents beyond it count as it; no two numbers of one event or policy can differ there.
  private static let exponentLimit = 1_000_000_000_000

  /// Appends the key of a number. Beyond the grammar of JSON a plus sign and zeros may lead, as in the text of logs. Returns false
  /// and appends nothing for text that is no number.
  static func append(_ text: UnsafeBufferPointer<UInt8>, to keys: inout FlatArray<UInt8>) -> Bool {
    guard let number = Number(text) else { return false }
    guard number.first < number.end else {
      keys.append(1)
      return true
    }
    let flip: UInt8 = number.isNegative ? 0xFF : 0
    keys.append(number.isNegative ? 0 : 2)
    let scale = UInt64(bitPattern: Int64(number.scale)) ^ 1 << 63
    for shift in stride(from: UInt64(56), through: 0, by: -8) {
      keys.append(UInt8(truncatingIfNeeded: scale >> shift) ^ flip)
    }
    for digit in text[number.first..<number.end] where digit != UInt8(ascii: ".") { keys.append(digit ^ flip) }
    if number.isNegative { keys.append(0xFF) }
    return true
  }

  /// Where the parts of a number stand in its text.
  private struct Number {
    var isNegative = false
    /// The first significant digit, and the place behind the last; equal for zero.
    var first = 0
    var end = 0
    /// The number is 0.digits × 10^scale.
    var scale = 0

    init?(_ text: UnsafeBufferPointer<UInt8>) {
      var index = 0
      if let sign = text.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        isNegative = sign == UInt8(ascii: "-")
        index = 1
      }
      guard var point = readDigits(text, &index) else { return nil }
      if index < text.count, text[index] == UInt8(ascii: ".") {
        point = index
        index += 1
        guard readDigits(text, &index) != nil else { return nil }
      }
      scale = first < point ? point - first : point + 1 - first
      guard let exponent = Self.exponent(text.from(index)) else { return nil }
      scale += exponent
    }

    /// Passes over digits and tells where they end; nil if there is none.
    private mutating func readDigits(_ text: UnsafeBufferPointer<UInt8>, _ index: inout Int) -> Int? {
      let start = index
      while index < text.count, text[index] &- 0x30 < 10 {
        if text[index] != 0x30 {
          if end == 0 { first = index }
          end = index + 1
        }
        index += 1
      }
      return index > start ? index : nil
    }

    private static func exponent(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
      guard let mark = text.first else { return 0 }
      guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
      var digits = text.from(1)
      let isNegative = digits.first == UInt8(ascii: "-")
      if isNegative || digits.first == UInt8(ascii: "+") { digits = digits.from(1) }
      guard !digits.isEmpty, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
      let magnitude = digits.reduce(0) { min($0 * 10 + Int($1 - 0x30), exponentLimit) }
      return isNegative ? -magnitude : magnitude
    }
  }

  /// Appends the key of a string that spells a number, in decimal digits of any script; no space may stand around it.
  static func append(numericString text: UnsafeBufferPointer<UInt8>, to keys: inout FlatArray<UInt8>) -> Bool {
    guard text.contains(where: { $0 >= 0x80 }) else { return append(text, to: &keys) }
    var digits = ""
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      if scalar.properties.numericType == .decimal, let value = scalar.properties.numericValue {
        digits += String(Int(value))
      } else {
        digits.unicodeScalars.append(scalar)
      }
    }
    return digits.withUTF8 { append($0, to: &keys) }
  }
}
