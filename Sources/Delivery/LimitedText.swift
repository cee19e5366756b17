/// Text that receivers limit: built from the left, and cut between two code points where the limit is reached.
struct LimitedText {
  private(set) var text = ""
  private var room: Int
  private let escape: (Unicode.Scalar) -> String?

  /// An empty text.
  ///
  /// - Parameters:
  ///   - limit: The most UTF-16 code units, which are never fewer than the code points, so it holds in either unit.
  ///   - escape: What stands for a character that may not stand for itself; nil where it may.
  init(limit: Int, escape: @escaping (Unicode.Scalar) -> String? = { _ in nil }) {
    room = limit
    self.escape = escape
  }

  /// Adds as much as there is room for; what is cut ends in `…`.
  mutating func append(_ addition: String) {
    var cut: (text: String, room: Int)?
    for scalar in addition.unicodeScalars {
      let piece = escape(scalar) ?? String(scalar)
      if room >= 1, cut == nil, room - piece.utf16.count < 1 { cut = (text, room) }
      guard piece.utf16.count <= room else {
        if let cut { (text, room) = (cut.text + "…", 0) }
        return
      }
      text += piece
      room -= piece.utf16.count
    }
  }
}

extension String {
  /// The text, or its beginning and `…`, in at most `limit` UTF-16 code units.
  func cut(to limit: Int, escaping escape: @escaping (Unicode.Scalar) -> String? = { _ in nil }) -> String {
    var limited = LimitedText(limit: limit, escape: escape)
    limited.append(self)
    return limited.text
  }

  /// The text in one line: every line break, tab and other control character is a space.
  var inOneLine: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
  }
}
