import JSON
import Matching
import Testing

@testable import Delivery

@Suite("Slack") struct SlackTests {
  let config: JSONObject = ["webhook_url": "https://hooks.slack.com/services/T/B/secret"]

  @Test("An alert becomes a message with a coloured attachment")
  func message() throws {
    let request = try #require(try Provider(.slack, .object(config)).request())
    #expect(request.url == "https://hooks.slack.com/services/T/B/secret")
    let json = try request.json()
    #expect(json["text"] == "[HIGH] Login failed")
    #expect(json["channel"] == nil)
    let attachment = try #require(json["attachments"]?[0])
    #expect(attachment["color"] == "#FF6B35")
    #expect(attachment["blocks"]?[0]?["text"]?["text"] == "3 failures")
    #expect(attachment["blocks"]?[1]?["text"]?["text"] == "root failed to log in")
    #expect(attachment["blocks"]?[2]?["fields"]?[1]?["text"] == "*Policy*\nLogins")
  }

  @Test("Channel, user name and emoji are sent, and a colour of one's own")
  func overrides() throws {
    let own: JSONObject = [
      "channel": "#ops", "username": "bell", "icon_emoji": ":bell:", "severity_colors": ["high": "#123456"],
    ]
    let json = try #require(try Provider(.slack, .object(config.overlaid(with: own))).request()?.json())
    #expect(json["channel"] == "#ops")
    #expect(json["username"] == "bell")
    #expect(json["icon_emoji"] == ":bell:")
    #expect(json["attachments"]?[0]?["color"] == "#123456")
  }

  @Test("No text of an alert can mention anybody or forge a link")
  func escaping() throws {
    let evil = "<!channel> & <https://evil.example|click>"
    let notice = AlertNotice.example(title: evil, message: evil + "!", summary: evil + "?", policyName: evil)
    let body = try #require(try Provider(.slack, .object(config)).request(for: notice)).body
    let text = String(decoding: body, as: UTF8.self)
    #expect(!text.contains("<"))
    #expect(!text.contains(">"))
    #expect(text.contains("&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"))
  }

  @Test(
    "Nor can who is at an alert, or what a digest counts, whatever they are called; in the plain message no more than in the other"
  )
  func escapingOfSequels() throws {
    let evil = "<!here> & <https://evil.example|click>"
    let sequel = Occasion.Sequel(time: "2026-05-07T10:00:00Z", actor: evil, firstDeliveryID: "d")
    let heldBack = HeldBack(events: 2, values: 2, fields: [evil, "x"], start: "then", end: "now", firstDeliveryID: "d")
    let provider = try Provider(.slack, .object(config))
    let refusal = Reply.http(HTTPReply(status: 400, body: Array("invalid_blocks".utf8)))
    for occasion in [Occasion.triggered, .acknowledged(sequel), .resolved(sequel), .digest(heldBack), .test] {
      let notice = AlertNotice.example(
        occasion, title: evil, message: evil + "!", summary: evil + "?", policyName: evil)
      guard case .http(let plain)? = provider.plainerTransfer(for: notice, after: refusal) else {
        Issue.record("there is no plainer message")
        return
      }
      for request in [try #require(provider.request(for: notice)), plain] {
        let text = String(decoding: request.body, as: UTF8.self)
        #expect(!text.contains("<") && !text.contains(">"), "\(text)")
        #expect(text.contains("&lt;!here&gt; &amp; &lt;https://evil.example|click&gt;"))
      }
    }
  }

  @Test("Sections keep to Slack's limit, without an escape cut in two")
  func limits() throws {
    for filling in ["x", "&", "😀"] {
      let notice = AlertNotice.example(
        title: filling + String(repeating: filling, count: 5000), message: "",
        summary: String(repeating: filling, count: 4000))
      let json = try #require(try Provider(.slack, .object(config)).request(for: notice)?.json())
      let text = try #require(json["attachments"]?[0]?["blocks"]?[0]?["text"]?["text"]?.string)
      #expect((2990...3000).contains(text.utf16.count))
      #expect(text.hasSuffix((filling == "&" ? "&amp;" : filling) + "…"))
      #expect((590...600).contains(try #require(json["text"]?.string).utf16.count))
    }
  }

  @Test(
    "What is refused for its form alone is told in plain text, in which nobody can be mentioned either",
    arguments: [
      (400, "invalid_blocks", true), (400, " invalid_blocks\n", true), (400, "invalid_payload", true),
      (400, "no_text", true), (400, "user_not_found", false), (400, "", false), (200, "invalid_blocks", false),
      (403, "invalid_token", false), (500, "rollup_error", false),
    ])
  func plain(status: Int, body: String, isPlainer: Bool) throws {
    let provider = try Provider(.slack, .object(config))
    let notice = AlertNotice.example(message: "<!channel> & more", policyName: "<!here>")
    let reply = Reply.http(HTTPReply(status: status, body: Array(body.utf8)))
    guard case .http(let request)? = provider.plainerTransfer(for: notice, after: reply) else {
      return #expect(!isPlainer)
    }
    #expect(isPlainer && request.url == "https://hooks.slack.com/services/T/B/secret")
    let json = try request.json()
    #expect(json.object?.members.map(\.key) == ["text"])
    let text = try #require(json["text"]?.string)
    #expect(text.hasPrefix("[HIGH] Login failed\n\n3 failures\n\n&lt;!channel&gt; &amp; more\n\nSeverity: high\n"))
    #expect(!text.contains("<"))
    let webhook = try Provider(.webhook, ["url": "https://example.com/x"])
    #expect(webhook.plainerTransfer(for: notice, after: reply) == nil)
  }

  @Test(
    "Only 200 with the text ok is a confirmation",
    arguments: [(200, "ok", true), (200, " ok\n", true), (200, "no_text", false), (200, "", false), (202, "ok", false)])
  func confirmation(status: Int, body: String, isSent: Bool) throws {
    let reply = HTTPReply(status: status, body: Array(body.utf8))
    let verdict = try Provider(.slack, .object(config)).verdict(on: .http(reply), receivedAt: 0)
    #expect((verdict == .sent(remark: nil)) == isSent)
  }
}
