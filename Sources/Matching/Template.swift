import JSON

/// The text of an alert with places for values of the event: `{user.name} failed {{3}} times`.
///
/// A place names a field path, or one of the alert's own values `severity`, `policy_name`, `alert_id`, which win. `{{` and `}}`
/// are literal braces. A brace that opens no place, and a place without a value, stay as they were written. Substitution is one
/// pass: a value that contains braces is not expanded again.
package struct Template: Sendable {
  /// The template as it was written.
  package let source: String
  private let parts: [Part]

  private enum Part: Sendable {
    case text(String)
    case place(FieldPath, written: String)
  }

  /// Reads a template; every string is one.
  package init(_ source: String) {
    self.source = source
    parts = Self.parse(source.unicodeScalars[...])
  }

  /// The text with the event's values set in, at most `limit` Unicode scalars long: a longer one is cut and ends in `…`.
  /// U+0000, which PostgreSQL cannot store, becomes U+FFFD.
  package func rendered(event: JSONValue, alert: [String: String], limit: Int) -> String {
    var text = ""
    // A scalar takes four bytes at most: what comes behind so many of them is cut off for sure.
    for part in parts where text.utf8.count <= 4 * limit {
      switch part {
      case .text(let literal): text += literal
      case .place(let path, let written): text += alert[path.text] ?? Self.text(of: path.values(in: event)) ?? written
      }
    }
    return text.replacingNUL.cut(to: limit)
  }

  /// Strings as they are, everything else as JSON; several values, as a path through an array finds them, with commas between.
  private static func text(of values: [JSONValue]) -> String? {
    guard !values.isEmpty else { return nil }
    return values.map { $0.string ?? String(decoding: $0.json, as: UTF8.self) }.joined(separator: ", ")
  }

  /// By Unicode scalars, because a brace and what combines with it would be one character.
  private static func parse(_ source: Substring.UnicodeScalarView) -> [Part] {
    var parts: [Part] = []
    var literal = String.UnicodeScalarView()
    var rest = source
    while let scalar = rest.popFirst() {
      if scalar == "{" || scalar == "}", rest.first == scalar {
        rest.removeFirst()
      } else if scalar == "{", let end = rest.prefix(FieldPath.lengthLimit + 1).firstIndex(of: "}"),
        let path = FieldPath(String(rest[..<end]))
      {
        parts += [.text(String(literal)), .place(path, written: "{\(path.text)}")]
        literal = String.UnicodeScalarView()
        rest = rest[end...].dropFirst()
        continue
      }
      literal.append(scalar)
    }
    return parts + [.text(String(literal))]
  }
}

extension String {
  /// The string itself if it has at most so many Unicode scalars; else its beginning with `…` as the last of them.
  func cut(to limit: Int) -> String {
    // No string has more scalars than bytes, and those need not be counted.
    guard utf8.count > limit, unicodeScalars.dropFirst(limit).first != nil else { return self }
    return String(String.UnicodeScalarView(unicodeScalars.prefix(limit - 1))) + "…"
  }

  /// The string with U+FFFD in the place of each U+0000, which PostgreSQL cannot store in text.
  var replacingNUL: String {
    guard utf8.contains(0) else { return self }
    return String(UnicodeScalarView(unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
  }
}
