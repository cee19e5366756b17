/// A text as somebody reads it who undoes an encoding, with what each byte is in the text.
struct Reading {
  /// What is read.
  private(set) var bytes: [UInt8] = []
  private var starts: [Int] = []
  private var ends: [Int] = []

  /// The text as it is, and in each encoding that is not the same.
  static func all(of text: [UInt8]) -> [Reading] {
    let encodings = Encoding.all.filter { $0.marks.contains(where: text.contains) }
    return [Reading(of: text, undoing: nil)] + encodings.map { Reading(of: text, undoing: $0) }
  }

  private init(of text: [UInt8], undoing encoding: Encoding?) {
    var place = 0
    while place < text.count {
      var (byte, length): (UInt8?, Int) = (text[place], 1)
      if let encoding, encoding.marks.contains(text[place]) {
        let rest = text[place...].prefix(encoding.length)
        if let decoded = encoding.decoded(rest) {
          (byte, length) = decoded
        } else if rest.count < encoding.length {
          break  // It may have been cut.
        }
      }
      if let byte {
        bytes.append(byte)
        starts.append(place)
        ends.append(place + length)
      }
      place += length
    }
  }

  /// What stands in the text for a range of what is read.
  func places(of range: Range<Int>) -> Range<Int> {
    range.isEmpty ? 0..<0 : starts[range.lowerBound]..<ends[range.upperBound - 1]
  }
}

/// A way to write some bytes as others.
private struct Encoding: Sendable {
  /// Where it may have written others.
  let marks: [UInt8]
  /// The most bytes that it writes for one.
  var length = 1
  /// What is written at a mark, nil for nothing, and in how many bytes; nil as a whole where the mark stands for itself.
  let decoded: @Sendable (ArraySlice<UInt8>) -> (byte: UInt8?, length: Int)?

  static let all = [percent, form, json, base64url, lines]

  /// RFC 3986, section 2.1.
  private static let percent = Encoding(marks: Array("%".utf8), length: 3) { text in
    hexadecimal(text.dropFirst(), digits: 2).map { ($0, 3) }
  }

  /// The same in a form, where a space is `+`.
  private static let form = Encoding(marks: Array("+".utf8) + percent.marks, length: 3) { text in
    text.first == UInt8(ascii: "+") ? (UInt8(ascii: " "), 1) : percent.decoded(text)
  }

  /// RFC 8259, section 7, as far as it concerns ASCII that shows.
  private static let json = Encoding(marks: Array("\\".utf8), length: 6) { text in
    let behind = text.dropFirst()
    if behind.starts(with: "u00".utf8) { return hexadecimal(behind.dropFirst(3), digits: 2).map { ($0, 6) } }
    return behind.first.flatMap { "\"\\/".utf8.contains($0) ? ($0, 2) : nil }
  }

  /// RFC 4648, section 5, in the letters of section 4.
  private static let base64url = Encoding(marks: Array("-_".utf8)) { text in
    (text.first == UInt8(ascii: "-") ? UInt8(ascii: "+") : UInt8(ascii: "/"), 1)
  }

  /// Lines, as base64 is often cut into.
  private static let lines = Encoding(marks: Array("\r\n".utf8)) { _ in (nil, 1) }

  private static func hexadecimal(_ text: ArraySlice<UInt8>, digits: Int) -> UInt8? {
    text.count < digits ? nil : Hexadecimal.decoded(String(decoding: text.prefix(digits), as: UTF8.self))?.first
  }
}
