import JSON

/// The text of an alert with places for values of the event: `{user.name} failed {{3}} times`.
///
/// A place names a field path, or one of the alert's own values `severity`, `policy_name`, `alert_id`, which win. `{{` and `}}`
/// are literal braces. A brace that opens no place, and a place without a value, stay as they were written. Substitution is one
/// pass: a value that contains braces is not expanded again.
package struct Template: Sendable {
  /// The template as it was written.
  package let source: String

  /// Reads a template; every string is one.
  package init(_ source: String) { self.source = source }

  /// The text with the event's values set in, at most `limit` Unicode scalars long: a longer one is cut and ends in `…`.
  /// U+0000, which PostgreSQL cannot store, becomes U+FFFD.
  package func rendered(event: JSONValue, alert: [String: String], limit: Int) -> String {
    var text = ""
    var parts = Parts(source)
    // A scalar takes four bytes at most: what comes behind so many of them is cut off for sure.
    while text.utf8.count <= 4 * limit, let part = parts.next() {
      switch part {
      case .text(let literal): text += literal
      case .place(let path): text += alert[path.text] ?? Self.text(of: path.values(in: event)) ?? "{\(path.text)}"
      }
    }
    return text.cut(to: limit).replacingNUL
  }

  /// Strings as they are, everything else as JSON; several values, as a path through an array finds them, with commas between.
  private static func text(of values: [JSONValue]) -> String? {
    guard !values.isEmpty else { return nil }
    return values.map { $0.string ?? String(decoding: $0.json, as: UTF8.self) }.joined(separator: ", ")
  }
}

/// The parts of a template in order, found as they are needed: of a worker's many templates few are ever rendered. Takes time
/// linear in the template, and goes by bytes, because a brace and what combines with it would be one character.
private struct Parts {
  enum Part {
    case text(String)
    case place(FieldPath)
  }

  private var rest: Substring.UTF8View
  /// The first closing brace behind the last opening one that was looked at; the end where there is none.
  private var closing: String.Index

  private static let openBrace = UInt8(ascii: "{")
  private static let closeBrace = UInt8(ascii: "}")

  init(_ source: String) {
    rest = source.utf8[...]
    closing = source.startIndex
  }

  mutating func next() -> Part? {
    let literal = rest.prefix { $0 != Self.openBrace && $0 != Self.closeBrace }
    rest = rest[literal.endIndex...]
    if !literal.isEmpty { return .text(String(Substring(literal))) }
    guard let brace = rest.popFirst() else { return nil }
    if rest.first == brace {
      rest.removeFirst()
    } else if brace == Self.openBrace, let path = pathBeforeClosing() {
      rest = rest[closing...].dropFirst()
      return .place(path)
    }
    return .text(brace == Self.openBrace ? "{" : "}")
  }

  /// The path between an opening brace, which was just taken, and the next closing one.
  private mutating func pathBeforeClosing() -> FieldPath? {
    if closing < rest.startIndex { closing = rest.firstIndex(of: Self.closeBrace) ?? rest.endIndex }
    let isNear = rest.distance(from: rest.startIndex, to: closing) <= 4 * FieldPath.lengthLimit
    guard closing < rest.endIndex, isNear else { return nil }
    return FieldPath(String(Substring(rest[..<closing])))
  }
}

extension String {
  /// The string itself if it has at most so many Unicode scalars; else its beginning with `…` as the last of them.
  func cut(to limit: Int) -> String {
    // No string has more scalars than bytes, and those need not be counted.
    guard utf8.count > limit else { return self }
    var text = self
    let cut: String? = text.withUTF8 { bytes in
      var room = limit
      var lastStart = 0
      for (offset, byte) in bytes.enumerated() where byte & 0xC0 != 0x80 {
        if room == 0 { return String(decoding: bytes[..<lastStart], as: UTF8.self) + "…" }
        room -= 1
        lastStart = offset
      }
      return nil
    }
    return cut ?? self
  }

  /// The string with U+FFFD in the place of each U+0000, which PostgreSQL cannot store in text.
  var replacingNUL: String {
    var text = self
    guard text.withUTF8({ $0.firstOffset(of: 0) }) != nil else { return self }
    return String(UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
  }
}
