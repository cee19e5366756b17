/// A JSON number kept as the text that was sent, and compared by its exact decimal value.
///
/// No binary floating point is involved, so integers past 2^53 and numbers of hundreds of digits neither lose precision nor
/// overflow. `1`, `1.0` and `10e-1` are equal. Comparing costs time linear in the number of digits.
package struct JSONNumber: Sendable, Hashable, Comparable {
  /// The number as it was written, for example `1.50`.
  package let text: String
  private let decimal: Decimal

  /// Reads text that is exactly one number by the grammar of RFC 8259, section 6; nil for anything else.
  package init?(_ text: some StringProtocol) {
    guard let decimal = Decimal(Array(text.utf8)) else { return nil }
    self.text = String(text)
    self.decimal = decimal
  }

  /// The number for an integer of the machine.
  package init(_ integer: Int) {
    text = String(integer)
    decimal = Decimal(integer: integer)
  }

  /// The value as an `Int`, or nil if it has a fraction or is out of range.
  package var integer: Int? { decimal.integer }

  package static func == (left: JSONNumber, right: JSONNumber) -> Bool { left.decimal == right.decimal }

  package static func < (left: JSONNumber, right: JSONNumber) -> Bool { left.decimal < right.decimal }

  package func hash(into hasher: inout Hasher) { hasher.combine(decimal) }
}

/// A number as sign, significant digits without zeros at either end, and the place of the first digit: 0.digits × 10^scale.
private struct Decimal: Sendable, Hashable, Comparable {
  var isNegative: Bool
  var digits: [UInt8]
  var scale: Int

  private static let exponentLimit = 1_000_000_000_000

  init(integer: Int) {
    isNegative = integer < 0
    digits = Array(String(integer.magnitude).utf8)
    scale = digits.count
    normalize()
  }

  init?(_ text: [UInt8]) {
    var rest = text[...]
    isNegative = rest.first == UInt8(ascii: "-")
    if isNegative { rest.removeFirst() }
    let whole = rest.prefix { $0.isDigit }
    rest = rest.dropFirst(whole.count)
    guard !whole.isEmpty, whole.count == 1 || whole.first != UInt8(ascii: "0") else { return nil }
    var fraction: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      fraction = rest.dropFirst().prefix { $0.isDigit }
      guard !fraction.isEmpty else { return nil }
      rest = rest.dropFirst(1 + fraction.count)
    }
    guard let exponent = Self.exponent(rest) else { return nil }
    digits = Array(whole) + fraction
    scale = whole.count + exponent
    normalize()
  }

  /// Reads `e5`, `E-5` or nothing. An exponent past the limit is cut to it: no two numbers of one event differ there.
  private static func exponent(_ text: ArraySlice<UInt8>) -> Int? {
    guard let mark = text.first else { return 0 }
    guard mark | 0x20 == UInt8(ascii: "e") else { return nil }
    var digits = text.dropFirst()
    let isNegative = digits.first == UInt8(ascii: "-")
    if isNegative || digits.first == UInt8(ascii: "+") { digits.removeFirst() }
    guard !digits.isEmpty, digits.allSatisfy({ $0.isDigit }) else { return nil }
    let magnitude = digits.reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), exponentLimit) }
    return isNegative ? -magnitude : magnitude
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
