/// An alert as a person reads it in a mail.
struct AlertText {
  private let notice: AlertNotice
  private let facts: [(name: String, value: String)]
  private let event: String

  /// The most of an event that a mail shows, in UTF-16 code units.
  private static let eventLimit = 16_384

  init(_ notice: AlertNotice) {
    self.notice = notice
    facts = [
      ("Severity", notice.severity.rawValue), ("Policy", notice.policyName), ("Time", notice.triggeredAt),
      ("Alert", notice.alertID),
    ]
    event = String(decoding: notice.event.bytes, as: UTF8.self).cut(to: Self.eventLimit)
  }

  /// Plain text, lines ended by CR LF.
  var plain: String {
    let facts = facts.map { "\($0.name): \($0.value.inOneLine)" }.joined(separator: "\n")
    let paragraphs = ([notice.title.inOneLine] + bodies + [facts, "Event:\n\(event)"]).joined(separator: "\n\n")
    return paragraphs.replacing("\r\n", with: "\n").replacing("\n", with: "\r\n") + "\r\n"
  }

  /// The same as HTML, in which nothing of an alert is markup.
  var html: String {
    let paragraphs = bodies.map { "<p style=\"white-space: pre-wrap\">\(Self.escaped($0))</p>" }
      .joined(separator: "\r\n")
    let rows = facts.map { "<tr><th align=\"left\">\($0.name)</th><td>\(Self.escaped($0.value))</td></tr>" }
      .joined(separator: "\r\n")
    return """
      <!DOCTYPE html>\r
      <html><body>\r
      <h2>\(Self.escaped(notice.title))</h2>\r
      \(paragraphs)\r
      <table>\r
      \(rows)\r
      </table>\r
      <pre style="white-space: pre-wrap">\(Self.escaped(event))</pre>\r
      </body></html>\r

      """
  }

  /// Summary and message, as far as they say more than the title.
  private var bodies: [String] {
    var bodies: [String] = []
    for text in [notice.summary, notice.message] where text != notice.title && !text.isEmpty && !bodies.contains(text) {
      bodies.append(text)
    }
    return bodies
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
