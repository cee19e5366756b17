import JSON

/// Reads the tokens of a JSON text in place by RFC 8259: nothing is copied, every byte is checked.
///
/// The memory belongs to the caller and must outlive the reader; no byte outside of it is read.
struct EventTokens {
  /// A string without its quotes, or a number.
  struct Text {
    let start: UnsafePointer<UInt8>
    let count: Int
    /// Whether there are escapes to decode.
    var isEscaped = false

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
  }

  let start: UnsafePointer<UInt8>
  private let end: UnsafePointer<UInt8>
  private(set) var cursor: UnsafePointer<UInt8>

  init(start: UnsafePointer<UInt8>, count: Int) {
    self.start = start
    end = start + count
    cursor = start
  }

  /// How many bytes have been read.
  var offset: Int { cursor - start }

  /// The next byte, or 0 at the end, where no token begins with 0.
  @inline(__always) var current: UInt8 { cursor < end ? cursor.pointee : 0 }

  var isAtEnd: Bool { cursor == end }

  @inline(never) func error(_ reason: String) -> JSONSyntaxError {
    JSONSyntaxError(offset: cursor - start, reason: reason)
  }

  @inline(never) private func error(_ reason: String, at place: UnsafePointer<UInt8>) -> JSONSyntaxError {
    JSONSyntaxError(offset: place - start, reason: reason)
  }

  @inline(__always) mutating func skipSpace() {
    while cursor < end, cursor.pointee <= 0x20 {
      guard cursor.pointee == 0x20 || cursor.pointee == 0x0A || cursor.pointee == 0x0D || cursor.pointee == 0x09 else {
        return
      }
      cursor += 1
    }
  }

  /// Reads one byte of punctuation if it is the next.
  @inline(__always) mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    cursor += 1
    return true
  }

  /// Reads `true`, `false` or `null`.
  mutating func literal(_ word: StaticString) throws(JSONSyntaxError) {
    let count = word.utf8CodeUnitCount
    let text = UnsafeBufferPointer(start: cursor, count: min(count, end - cursor))
    guard text.isEqual(to: UnsafeBufferPointer(start: word.utf8Start, count: count)) else {
      throw error("expected a value")
    }
    cursor += count
  }

  mutating func number() throws(JSONSyntaxError) -> Text {
    let first = cursor
    _ = take("-")
    let whole = cursor
    var isValid = skipDigits() && (whole.pointee != UInt8(ascii: "0") || cursor == whole + 1)
    if take(".") { isValid = skipDigits() && isValid }
    if current | 0x20 == UInt8(ascii: "e") {
      cursor += 1
      if !take("-") { _ = take("+") }
      isValid = skipDigits() && isValid
    }
    switch current {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "E"), UInt8(ascii: "e"): isValid = false
    default: break
    }
    guard isValid else {
      cursor = first
      throw error("malformed number")
    }
    return Text(start: first, count: cursor - first)
  }

  @inline(__always) private mutating func skipDigits() -> Bool {
    let first = cursor
    while cursor < end, cursor.pointee &- 0x30 < 10 { cursor += 1 }
    return cursor > first
  }

  /// Reads a string; the next byte is its opening quote.
  @inline(__always) mutating func string() throws(JSONSyntaxError) -> Text {
    let first = cursor + 1
    let place = skipPlain(from: first)
    if place < end, place.pointee == UInt8(ascii: "\"") {
      cursor = place + 1
      return Text(start: first, count: place - first)
    }
    return try string(from: first, checkedUpTo: place)
  }

  /// Reads on in a string at the first byte that needs more than a glance.
  @inline(never)
  private mutating func string(
    from first: UnsafePointer<UInt8>, checkedUpTo checked: UnsafePointer<UInt8>
  ) throws(JSONSyntaxError) -> Text {
    var place = checked
    var isEscaped = false
    while place < end {
      switch place.pointee {
      case UInt8(ascii: "\""):
        cursor = place + 1
        return Text(start: first, count: place - first, isEscaped: isEscaped)
      case UInt8(ascii: "\\"):
        isEscaped = true
        place = try skipEscape(at: place)
      case 0..<0x20:
        throw error("control character in a string; escape it as \\u00XX", at: place)
      default:
        place = try skipMultibyte(at: place)
      }
      place = skipPlain(from: place)
    }
    throw error("no closing quote for the string that begins")
  }

  /// The first byte from a place on that is a quote, a backslash, a control character or not ASCII; eight are looked at together.
  @inline(__always) private func skipPlain(from place: UnsafePointer<UInt8>) -> UnsafePointer<UInt8> {
    let ones: UInt64 = 0x0101_0101_0101_0101
    var place = place
    while end - place >= 8 {
      let word = UInt64(littleEndian: UnsafeRawPointer(place).loadUnaligned(as: UInt64.self))
      let quotes = word ^ (ones &* 0x22)
      let backslashes = word ^ (ones &* 0x5C)
      // In each term the lowest set top bit is that of the first byte sought, or, in bytes behind that, a false one.
      let special =
        (quotes &- ones) & ~quotes | (backslashes &- ones) & ~backslashes | (word &- ones &* 0x20) & ~word | word
      let marks = special & (ones &* 0x80)
      if marks != 0 { return place + marks.trailingZeroBitCount >> 3 }
      place += 8
    }
    while place < end, place.pointee &- 0x20 < 0x60, place.pointee != UInt8(ascii: "\""),
      place.pointee != UInt8(ascii: "\\")
    { place += 1 }
    return place
  }

  private func skipEscape(at place: UnsafePointer<UInt8>) throws(JSONSyntaxError) -> UnsafePointer<UInt8> {
    guard end - place >= 2 else { throw error("the escape is cut off", at: place) }
    switch Unicode.Scalar(place[1]) {
    case "\"", "\\", "/", "b", "f", "n", "r", "t":
      return place + 2
    case "u":
      guard end - place >= 6, (2..<6).allSatisfy({ Self.hexadecimal(place[$0]) != nil }) else {
        throw error("\\u needs four hexadecimal digits", at: place)
      }
      return place + 6
    default:
      throw error("unknown escape", at: place)
    }
  }

  /// Passes over the characters that are not ASCII: those of table 3-7 of the Unicode standard.
  private func skipMultibyte(at place: UnsafePointer<UInt8>) throws(JSONSyntaxError) -> UnsafePointer<UInt8> {
    var place = place
    while place < end, place.pointee >= 0x80 {
      let second: ClosedRange<UInt8>
      let width: Int
      switch place.pointee {
      case 0xC2...0xDF: (width, second) = (2, 0x80...0xBF)
      case 0xE0: (width, second) = (3, 0xA0...0xBF)
      case 0xED: (width, second) = (3, 0x80...0x9F)
      case 0xE1...0xEF: (width, second) = (3, 0x80...0xBF)
      case 0xF0: (width, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: (width, second) = (4, 0x80...0xBF)
      case 0xF4: (width, second) = (4, 0x80...0x8F)
      default: throw error("invalid UTF-8", at: place)
      }
      guard end - place >= width, second.contains(place[1]),
        width < 3 || place[2] & 0xC0 == 0x80, width < 4 || place[3] & 0xC0 == 0x80
      else { throw error("invalid UTF-8", at: place) }
      place += width
    }
    return place
  }

  /// The value of a hexadecimal digit.
  static func hexadecimal(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46, 0x61...0x66: UInt32(byte | 0x20) - 0x57
    default: nil
    }
  }
}
