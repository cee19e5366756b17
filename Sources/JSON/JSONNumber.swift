/// A JSON number kept as the text that was sent, and compared by its exact decimal value.
///
/// No binary floating point is involved, so integers past 2^53 and numbers of hundreds of digits neither lose precision nor
/// overflow. `1`, `1.0` and `10e-1` are equal. Comparing costs time linear in the number of digits.
package struct JSONNumber: Sendable, Hashable, Comparable {
  /// The number as it was written, for example `1.50`.
  package let text: String

  /// Reads text that is exactly one number by the grammar of RFC 8259, section 6; nil for anything else.
  package init?(_ text: some StringProtocol) {
    var text = String(text)
    guard text.withUTF8({ Notation($0) }) != nil else { return nil }
    self.text = text
  }

  /// The number that some bytes spell; nil if they spell none.
  init?(bytes: UnsafeBufferPointer<UInt8>) {
    guard Notation(bytes) != nil else { return nil }
    text = String(decoding: bytes, as: UTF8.self)
  }

  /// The number for an integer of the machine.
  package init(_ integer: Int) { text = String(integer) }

  /// The value as an `Int`, or nil if it has a fraction or is out of range.
  package var integer: Int? { Int(text) ?? decimal.integer }

  package static func == (left: JSONNumber, right: JSONNumber) -> Bool { left.decimal == right.decimal }

  package static func < (left: JSONNumber, right: JSONNumber) -> Bool { left.decimal < right.decimal }

  package func hash(into hasher: inout Hasher) { hasher.combine(decimal) }

  /// Made when it is needed: most numbers are only passed on.
  private var decimal: Decimal {
    var text = text
    return text.withUTF8 { bytes in
      guard let notation = Notation(bytes) else { preconditionFailure("the text was read as a number before") }
      return Decimal(bytes, notation)
    }
  }
}

/// Where the parts of a number stand in its text.
private struct Notation {
  let isNegative: Bool
  /// The digits before the point, and those behind it.
  let whole: Range<Int>
  let fraction: Range<Int>
  let exponent: Int

  private static let exponentLimit = 1_000_000_000_000

  init?(_ text: UnsafeBufferPointer<UInt8>) {
    isNegative = text.first == UInt8(ascii: "-")
    whole = Self.digits(text, from: isNegative ? 1 : 0)
    guard !whole.isEmpty, whole.count == 1 || text[whole.lowerBound] != UInt8(ascii: "0") else { return nil }
    if whole.upperBound < text.count, text[whole.upperBound] == UInt8(ascii: ".") {
      fraction = Self.digits(text, from: whole.upperBound + 1)
      guard !fraction.isEmpty else { return nil }
    } else {
      fraction = whole.upperBound..<whole.upperBound
    }
    guard let exponent = Self.exponent(text, from: fraction.upperBound) else { return nil }
    self.exponent = exponent
  }

  private static func digits(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Range<Int> {
    var end = start
    while end < text.count, text[end].isDigit { end += 1 }
    return start..<end
  }

  /// Reads `e5`, `E-5` or nothing. An exponent past the limit is cut to it: no two numbers of one event differ there.
  private static func exponent(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
    guard start < text.count else { return 0 }
    guard text[start] | 0x20 == UInt8(ascii: "e"), start + 1 < text.count else { return nil }
    let isNegative = text[start + 1] == UInt8(ascii: "-")
    let isSigned = isNegative || text[start + 1] == UInt8(ascii: "+")
    let digits = Self.digits(text, from: isSigned ? start + 2 : start + 1)
    guard !digits.isEmpty, digits.upperBound == text.count else { return nil }
    let magnitude = text[digits].reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), exponentLimit) }
    return isNegative ? -magnitude : magnitude
  }
}

/// A number as sign, significant digits without zeros at either end, and the place of the first digit: 0.digits × 10^scale.
private struct Decimal: Hashable, Comparable {
  private var isNegative: Bool
  private var digits: [UInt8]
  private var scale: Int

  init(_ text: UnsafeBufferPointer<UInt8>, _ notation: Notation) {
    isNegative = notation.isNegative
    digits = Array(text[notation.whole]) + text[notation.fraction]
    scale = notation.whole.count + notation.exponent
    normalize()
  }

  private mutating func normalize() {
    let zero = UInt8(ascii: "0")
    let leading = digits.prefix { $0 == zero }.count
    digits.removeFirst(leading)
    scale -= leading
    while digits.last == zero { digits.removeLast() }
    if digits.isEmpty {
      isNegative = false
      scale = 0
    }
  }

  var integer: Int? {
    guard scale >= digits.count, scale <= 19 else { return nil }
    let sign = isNegative ? "-" : ""
    let zeros = String(repeating: "0", count: scale - digits.count)
    return Int(sign + String(decoding: digits, as: UTF8.self) + (digits.isEmpty ? "0" : zeros))
  }

  static func < (left: Decimal, right: Decimal) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    return left.isNegative ? right.isSmallerMagnitude(than: left) : left.isSmallerMagnitude(than: right)
  }

  private func isSmallerMagnitude(than other: Decimal) -> Bool {
    if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
    if scale != other.scale { return scale < other.scale }
    return digits.lexicographicallyPrecedes(other.digits)
  }
}

extension UInt8 {
  /// Whether the byte is an ASCII digit.
  var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}
