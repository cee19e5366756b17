/// Why bytes are not JSON, and where.
package struct JSONSyntaxError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The offset in bytes, from 0, of the first byte that cannot stand where it does.
  package let offset: Int
  /// What is wrong, without a full stop: `expected ',' or '}'`.
  package let reason: String

  /// An error at a byte offset.
  package init(offset: Int, reason: String) {
    self.offset = offset
    self.reason = reason
  }

  package var description: String { "\(reason) at byte \(offset)" }
}

extension JSONValue {
  /// The deepest nesting that is read, in arrays and objects.
  package static let depthLimit = 128

  /// Reads one JSON text by RFC 8259: UTF-8, one value, nothing behind it but white space.
  ///
  /// A lone surrogate escape becomes U+FFFD; of several equal keys the last wins. Throws with the byte offset for anything that
  /// is not JSON, not UTF-8, or nested more than ``depthLimit`` deep.
  package init(parsing bytes: some Sequence<UInt8>) throws(JSONSyntaxError) {
    // A typed throw does not pass through the standard library's closures.
    let parsed = bytes.withContiguousStorageIfAvailable { JSONParser.parse($0) }
    self = try (parsed ?? Array(bytes).withUnsafeBufferPointer { JSONParser.parse($0) }).get()
  }
}

/// A recursive-descent reader that builds the whole tree: for requests of ours, not for events (they are scanned in place).
private struct JSONParser {
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position = 0

  static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<JSONValue, JSONSyntaxError> {
    var parser = JSONParser(bytes: bytes)
    return Result { () throws(JSONSyntaxError) in try parser.document() }
  }

  private mutating func document() throws(JSONSyntaxError) -> JSONValue {
    let value = try value(depth: 0)
    skipSpace()
    guard position == bytes.count else { throw error("unexpected text behind the JSON value") }
    return value
  }

  private func error(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(offset: position, reason: reason) }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipSpace() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard current == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    skipSpace()
    guard let byte = current else { throw error("expected a value, found the end") }
    switch Unicode.Scalar(byte) {
    case "{": return .object(try object(depth: depth + 1))
    case "[": return .array(try array(depth: depth + 1))
    case "\"": return .string(try string())
    case "t": return try literal("true", .bool(true))
    case "f": return try literal("false", .bool(false))
    case "n": return try literal("null", .null)
    case "-", "0"..."9": return .number(try number())
    default: throw error("expected a value")
    }
  }

  private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
    let end = position + word.utf8CodeUnitCount
    let matches = word.withUTF8Buffer { end <= bytes.count && bytes[position..<end].elementsEqual($0) }
    guard matches else { throw error("expected a value") }
    position = end
    return value
  }

  private func checkDepth(_ depth: Int) throws(JSONSyntaxError) {
    guard depth <= JSONValue.depthLimit else { throw error("nested more than \(JSONValue.depthLimit) deep") }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
    try checkDepth(depth)
    position += 1
    var object = JSONObject()
    var marks: UInt64 = 0
    skipSpace()
    if take("}") { return object }
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw error("expected a key in double quotes") }
      let key = try string()
      skipSpace()
      guard take(":") else { throw error("expected ':' behind the key") }
      let value = try value(depth: depth)
      let mark = Self.mark(of: key)
      if marks & mark == 0 { object.append(key, value) } else { object[key] = value }
      marks |= mark
      skipSpace()
      if take("}") { return object }
      guard take(",") else { throw error("expected ',' or '}'") }
    }
  }

  /// One bit for a key: keys without a bit in common are different ones, which saves looking for an equal one.
  private static func mark(of key: String) -> UInt64 {
    let sum = key.withBytes { bytes in
      bytes.isEmpty ? 0 : bytes.count &* 7 &+ Int(bytes[0]) &+ Int(bytes[bytes.count - 1]) &* 5
    }
    return 1 << UInt64(sum & 63)
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSONValue] {
    try checkDepth(depth)
    position += 1
    var elements: [JSONValue] = []
    skipSpace()
    if take("]") { return elements }
    while true {
      elements.append(try value(depth: depth))
      skipSpace()
      if take("]") { return elements }
      guard take(",") else { throw error("expected ',' or ']'") }
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONNumber {
    let start = position
    while let byte = current, byte.isDigit || "+-.eE".utf8.contains(byte) { position += 1 }
    guard let number = JSONNumber(bytes: UnsafeBufferPointer(rebasing: bytes[start..<position])) else {
      position = start
      throw error("malformed number")
    }
    return number
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    let opening = position
    position += 1
    while let byte = current, Self.isPlain(byte) { position += 1 }
    let plain = UnsafeBufferPointer(rebasing: bytes[opening + 1..<position])
    if take("\"") { return String(decoding: plain, as: UTF8.self) }
    return try string(continuing: Array(plain), from: opening)
  }

  /// Whether a byte of a string is a character of its own and stands for itself.
  private static func isPlain(_ byte: UInt8) -> Bool {
    byte >= 0x20 && byte < 0x80 && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "\\")
  }

  /// Reads the rest of a string that is not plain.
  private mutating func string(
    continuing text: consuming [UInt8], from opening: Int
  ) throws(JSONSyntaxError) -> String {
    var text = text
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        return String(decoding: text, as: UTF8.self)
      case UInt8(ascii: "\\"):
        text.append(contentsOf: String(try escape()).utf8)
      case 0..<0x20:
        throw error("control character in a string; escape it as \\u00XX")
      case 0x80...:
        let rest = UnsafeBufferPointer(rebasing: bytes[position...])
        guard let width = UTF8Sequence.width(rest) else { throw error("invalid UTF-8") }
        text.append(contentsOf: rest[..<width])
        position += width
      default:
        text.append(byte)
        position += 1
      }
    }
    position = opening
    throw error("no closing quote for the string that begins")
  }

  private mutating func escape() throws(JSONSyntaxError) -> Unicode.Scalar {
    let start = position
    guard start + 1 < bytes.count else { throw error("the escape is cut off") }
    position += 2
    switch Unicode.Scalar(bytes[start + 1]) {
    case "\"": return "\""
    case "\\": return "\\"
    case "/": return "/"
    case "b": return "\u{8}"
    case "f": return "\u{C}"
    case "n": return "\n"
    case "r": return "\r"
    case "t": return "\t"
    case "u": return try unicodeEscape(from: start)
    default:
      position = start
      throw error("unknown escape")
    }
  }

  /// Reads the digits of `\uXXXX`, and a second escape where the first is half of a surrogate pair.
  private mutating func unicodeEscape(from start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
    guard let unit = hexadecimal(at: position) else {
      position = start
      throw error("\\u needs four hexadecimal digits")
    }
    position += 4
    if let scalar = Unicode.Scalar(unit) { return scalar }
    let hasEscape = position + 1 < bytes.count && bytes[position] == 0x5C && bytes[position + 1] == UInt8(ascii: "u")
    guard unit < 0xDC00, hasEscape, let low = hexadecimal(at: position + 2), (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { return "\u{FFFD}" }
    position += 6
    return scalar
  }

  private func hexadecimal(at offset: Int) -> UInt32? {
    guard offset + 4 <= bytes.count else { return nil }
    var unit: UInt32 = 0
    for byte in bytes[offset..<offset + 4] {
      guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
      unit = unit << 4 | UInt32(digit)
    }
    return unit
  }
}
