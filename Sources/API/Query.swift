import JSON
import Matching
import Store

/// The parameters of a URL's query; of equal names the last counts. What nobody asks for is passed over.
package struct Query {
  private var values: [String: String] = [:]

  /// Reads `name=value&…` with `+` for a space. Text that is not percent-encoded UTF-8, or has a NUL, is a fault.
  package init(_ query: String) throws(JSONFaults) {
    for pair in query.split(separator: "&") {
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let decoded = parts.map { PercentEncoding.decoded($0.utf8.map { $0 == UInt8(ascii: "+") ? 0x20 : $0 }) }
      guard let name = decoded.first ?? nil else { throw Self.fault(String(parts[0]), "is not percent-encoded UTF-8") }
      guard let value = decoded.count > 1 ? decoded[1] : "", !value.utf8.contains(0) else {
        throw Self.fault(name, "is not percent-encoded UTF-8 without NUL")
      }
      values[name] = value
    }
  }

  /// The value of a parameter; nil if it is not given.
  package subscript(name: String) -> String? { values[name] }

  /// A parameter that is true or false.
  package func bool(_ name: String) throws(JSONFaults) -> Bool? {
    guard let value = values[name] else { return nil }
    switch value.lowercased() {
    case "true", "1": return true
    case "false", "0": return false
    default: throw Self.fault(name, "must be true or false")
    }
  }

  /// A parameter that is one of a closed set of names.
  package func choice<Choice>(_ name: String, of _: Choice.Type = Choice.self) throws(JSONFaults) -> Choice?
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let value = values[name] else { return nil }
    if let choice = Choice(rawValue: value) { return choice }
    throw Self.fault(name, "must be one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
  }

  /// A parameter that is a moment, RFC 3339.
  package func timestamp(_ name: String) throws(JSONFaults) -> Timestamp? {
    guard let value = values[name] else { return nil }
    // A client that forgot to encode the + of an offset sent what reads as a space.
    if let timestamp = Timestamp(value) ?? Timestamp(value.replacing(" ", with: "+")) { return timestamp }
    throw Self.fault(name, "must be a time such as 2026-05-07T10:00:00Z (RFC 3339)")
  }

  /// The page that `page` (1) and `per_page` (10, at most 100) ask for.
  package func page() throws(JSONFaults) -> Page {
    Page(number: try integer("page", in: 1...1_000_000) ?? 1, size: try integer("per_page", in: 1...100) ?? 10)
  }

  /// A parameter that is a whole number of a range.
  package func integer(_ name: String, in range: ClosedRange<Int>) throws(JSONFaults) -> Int? {
    guard let value = values[name] else { return nil }
    if let integer = Int(value), range.contains(integer) { return integer }
    throw Self.fault(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
  }

  /// A fault of a parameter, told as `?page`, which is no JSON pointer and so cannot be taken for a member of the body.
  private static func fault(_ name: String, _ detail: String) -> JSONFaults { JSONFaults(pointer: "?\(name)", detail) }
}

/// RFC 3986, section 2.1.
enum PercentEncoding {
  /// The text that percent-encoded bytes stand for; nil if an escape is cut off or the whole is not UTF-8.
  static func decoded(_ encoded: some Collection<UInt8>) -> String? {
    var bytes: [UInt8] = []
    var rest = encoded[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
      bytes.append(high << 4 | low)
    }
    return String(validating: bytes, as: UTF8.self)
  }

  /// The text with everything escaped that is not unreserved.
  static func encoded(_ text: String) -> String {
    text.utf8.reduce(into: "") { encoded, byte in
      let character = Character(Unicode.Scalar(byte))
      let isUnreserved = byte < 0x80 && (character.isLetter || character.isNumber || "-._~".contains(character))
      encoded +=
        isUnreserved ? String(character) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
    }
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    byte < 0x80 ? Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) } : nil
  }
}
