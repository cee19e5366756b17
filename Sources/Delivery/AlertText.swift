/// An alert as a person reads it in a mail.
struct AlertText {
  private let notice: AlertNotice
  /// The event; nil for those who have been told of it.
  private let event: String?

  /// The most of an event that a mail shows, in UTF-16 code units.
  private static let eventLimit = 16_384

  init(_ notice: AlertNotice) {
    self.notice = notice
    event =
      switch notice.occasion {
      case .triggered, .test: String(decoding: notice.event.bytes, as: UTF8.self).cut(to: Self.eventLimit)
      case .acknowledged, .resolved, .digest: nil
      }
  }

  /// Plain text, lines ended by CR LF.
  var plain: String {
    let facts = notice.facts.map { "\($0.name): \($0.value.inOneLine)" }.joined(separator: "\n")
    let end = event.map { [facts, "Event:\n\($0)"] } ?? [facts]
    let paragraphs = ([notice.headline.inOneLine] + notice.bodies + end).joined(separator: "\n\n")
    return paragraphs.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n") + "\r\n"
  }

  /// The same as HTML, in which nothing of an alert is markup.
  var html: String {
    let paragraphs = notice.bodies.map { "<p style=\"white-space: pre-wrap\">\(Self.escaped($0))</p>" }
      .joined(separator: "\r\n")
    let rows = notice.facts.map { "<tr><th align=\"left\">\($0.name)</th><td>\(Self.escaped($0.value))</td></tr>" }
      .joined(separator: "\r\n")
    let event = event.map { "<pre style=\"white-space: pre-wrap\">\(Self.escaped($0))</pre>" } ?? ""
    return """
      <!DOCTYPE html>\r
      <html><body>\r
      <h2>\(Self.escaped(notice.headline))</h2>\r
      \(paragraphs)\r
      <table>\r
      \(rows)\r
      </table>\r
      \(event)\r
      </body></html>\r

      """
  }

  private static func escaped(_ text: String) -> String {
    text.cut(to: .max) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      case "\"": "&quot;"
      default: nil
      }
    }
  }
}
