import JSON
import Matching

/// Slack by an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
package struct Slack: Sendable {
  static let secrets: [SecretMember] = [.value("webhook_url")]

  private let webhookURL: String
  private let channel: String?
  private let username: String?
  private let iconEmoji: String?
  private let colors: [Severity: String]

  /// Reads a `config`.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    webhookURL = reader.webURL(secret: "webhook_url")
    channel = reader.string("channel", length: 0...80)
    username = reader.string("username", length: 0...80)
    iconEmoji = reader.string("icon_emoji", length: 0...100)
    colors = reader.nested("severity_colors", Self.colors(json:)) ?? [:]
    try reader.finish()
  }

  private static func colors(json: JSONValue) throws(JSONFaults) -> [Severity: String] {
    var reader = try ObjectReader(json)
    var colors: [Severity: String] = [:]
    for severity in Severity.allCases {
      guard let color = reader.string(severity.rawValue) else { continue }
      let digits = color.utf8.dropFirst()
      if color.utf8.first != UInt8(ascii: "#") || digits.count != 6 || !digits.allSatisfy(\.isHexadecimalDigit) {
        reader.fault(severity.rawValue, "must be a colour such as \"#FF6B35\"")
      }
      colors[severity] = color
    }
    try reader.finish()
    return colors
  }

  private static func color(of severity: Severity) -> String {
    switch severity {
    case .critical: "#FF0000"
    case .high: "#FF6B35"
    case .medium: "#FFA500"
    case .low: "#FFFF00"
    case .info: "#00FF00"
    }
  }

  /// The request that posts a message.
  func transfer(for notice: AlertNotice) -> HTTPTransfer {
    HTTPTransfer(url: webhookURL, headers: [.json, .userAgent], body: message(for: notice).json)
  }

  /// The request that posts the same as plain text alone, for where ``refusesForm(_:)``.
  func plainTransfer(for notice: AlertNotice) -> HTTPTransfer {
    HTTPTransfer(url: webhookURL, headers: [.json, .userAgent], body: JSONValue.object(plainMessage(for: notice)).json)
  }

  /// Whether an answer refuses how a message is made and not what it says or where it goes.
  static func refusesForm(_ reply: HTTPReply) -> Bool {
    let word = String(decoding: reply.body, as: UTF8.self).split { !$0.isLetter && $0 != "_" }.first
    return reply.status == 400 && word.map { formErrors.contains(String($0)) } ?? false
  }

  private static let formErrors: Set = [
    "invalid_attachments", "invalid_blocks", "invalid_blocks_format", "invalid_payload", "msg_blocks_too_long",
    "no_text", "too_many_attachments",
  ]

  /// A webhook confirms with 200 and the text `ok`.
  static func hasTaken(_ reply: HTTPReply) -> Bool {
    reply.status == 200 && reply.body.filter { $0 > 0x20 }.elementsEqual("ok".utf8)
  }

  /// The webhook was revoked, its channel archived, or either never was:
  /// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
  static func isGone(_ status: Int) -> Bool { [403, 404, 410].contains(status) }

  private func message(for notice: AlertNotice) -> JSONValue {
    let title = Self.title(of: notice)
    var message = addressed(text: title)
    message["attachments"] = [
      [
        "color": .string(colors[notice.severity] ?? Self.color(of: notice.severity)), "fallback": .string(title),
        "blocks": .array(blocks(for: notice)),
      ]
    ]
    return .object(message)
  }

  private func plainMessage(for notice: AlertNotice) -> JSONObject {
    let bodies = notice.bodies.map { Self.escaped($0, limit: 3000) }
    let facts = notice.facts.map { "\($0.name): \(Self.escaped($0.value.inOneLine, limit: 500))" }
    let paragraphs = [Self.title(of: notice)] + bodies + [facts.joined(separator: "\n")]
    return addressed(text: paragraphs.joined(separator: "\n\n"))
  }

  private static func title(of notice: AlertNotice) -> String {
    escaped("[\(notice.severity.rawValue.uppercased())] \(notice.headline.inOneLine)", limit: 600)
  }

  /// `channel`, `username` and `icon_emoji` count for custom integrations only; app webhooks pay no heed to them.
  private func addressed(text: String) -> JSONObject {
    var message: JSONObject = ["text": .string(text)]
    let overrides = [("channel", channel), ("username", username), ("icon_emoji", iconEmoji)]
    for (key, value) in overrides {
      if let value, !value.isEmpty { message[key] = .string(value) }
    }
    return message
  }

  /// Slack limits a section's text to 3000 characters, a field's to 2000, and refuses empty ones.
  private func blocks(for notice: AlertNotice) -> [JSONValue] {
    let sections = notice.bodies.map { text -> JSONValue in
      ["type": "section", "text": ["type": "mrkdwn", "text": .string(Self.escaped(text, limit: 3000))]]
    }
    let fields = notice.facts.map { name, value -> JSONValue in
      ["type": "mrkdwn", "text": .string("*\(name)*\n" + Self.escaped(value, limit: 500))]
    }
    return sections + [["type": "section", "fields": .array(fields)]]
  }

  /// Slack's three control characters escaped, so that no event can mention a channel or forge a link.
  private static func escaped(_ text: String, limit: Int) -> String {
    text.cut(to: limit) { scalar in
      switch scalar {
      case "&": "&amp;"
      case "<": "&lt;"
      case ">": "&gt;"
      default: nil
      }
    }
  }
}
