extension String {
  /// The text, or, where it is too long, its beginning and `…`, cut between two code points.
  ///
  /// - Parameters:
  ///   - limit: The most UTF-16 code units, which are never fewer than the code points: it holds in either unit.
  ///   - escape: What stands for a character that may not stand for itself; nil where it may. It is never cut in two.
  /// - Returns: At most `limit` UTF-16 code units.
  package func cut(to limit: Int, escaping escape: (Unicode.Scalar) -> String? = { _ in nil }) -> String {
    var text = ""
    var room = limit
    var longestWithRoom = ""  // for the `…`
    for scalar in unicodeScalars {
      let piece = escape(scalar) ?? String(scalar)
      let size = piece.utf16.count
      guard size <= room else { return room > 0 ? text + "…" : longestWithRoom + "…" }
      if room > 0, room - size == 0 { longestWithRoom = text }
      text += piece
      room -= size
    }
    return text
  }

  /// The text in one line: every line break, tab and other control character is a space.
  var inOneLine: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.isLineBreakOrControl ? " " : $0 }))
  }
}

extension Unicode.Scalar {
  /// Whether it is a control character, or parts lines or paragraphs.
  package var isLineBreakOrControl: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator: true
    default: false
    }
  }
}
