import JSON
import Matching
import Testing

@testable import Delivery

@Suite("What becomes of an alert") struct OccasionTests {
  static let sequel = Occasion.Sequel(
    time: "2026-05-07T11:00:00.000000Z", actor: "key-7", firstDeliveryID: "11111111-2222-4333-8444-555555555555")

  @Test(
    "PagerDuty is told by the key of the trigger",
    arguments: [(Occasion.acknowledged(sequel), "acknowledge"), (.resolved(sequel), "resolve")])
  func pagerDuty(occasion: Occasion, action: String) throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key"])
    let long = String(repeating: "k", count: 300)
    for key in ["alert-1", long] {
      let trigger = try provider.request(for: .example(deduplicationKey: key))?.json()
      let request = try provider.request(for: .example(occasion, deduplicationKey: key))?.json()
      let expected: JSONValue = [
        "routing_key": "key", "event_action": .string(action), "dedup_key": try #require(trigger?["dedup_key"]),
      ]
      #expect(request == expected)
    }
  }

  @Test("A webhook is told by the type of the event")
  func webhook() throws {
    let provider = try Provider(.webhook, ["url": "https://example.com/x"])
    let acknowledged = try #require(try provider.request(for: .example(.acknowledged(Self.sequel)))?.json())
    #expect(acknowledged["type"] == "alert.acknowledged")
    #expect(acknowledged["timestamp"] == "2026-05-07T11:00:00.000000Z")
    #expect(acknowledged["data"]?["acknowledged_by"] == "key-7")
    #expect(acknowledged["data"]?["triggered_at"] == "2026-05-07T10:00:00.000000Z")
    let resolved = try #require(try provider.request(for: .example(.resolved(Self.sequel)))?.json())
    #expect(resolved["type"] == "alert.resolved")
    #expect(resolved["data"]?["resolved_at"] == "2026-05-07T11:00:00.000000Z")
    #expect(resolved["data"]?["acknowledged_by"] == nil)
    #expect(try provider.request(for: .example(.test))?.json()["type"] == "alert.test")
  }

  @Test("Slack says who did what and when, and does not repeat the message")
  func slack() throws {
    let provider = try Provider(.slack, ["webhook_url": "https://example.com/x"])
    let message = try #require(try provider.request(for: .example(.acknowledged(Self.sequel)))?.json())
    #expect(message["text"] == "[HIGH] Acknowledged: Login failed")
    let blocks = try #require(message["attachments"]?[0]?["blocks"])
    #expect(blocks[1] == nil)
    let fields = blocks[0]?["fields"]
    #expect(fields?[4]?["text"] == "*Acknowledged*\n2026-05-07T11:00:00.000000Z")
    #expect(fields?[5]?["text"] == "*By*\nkey-7")
  }

  @Test("A mail is an answer to the first one about the alert")
  func mail() throws {
    let provider = try Provider(
      .email,
      [
        "smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "alerts@example.com",
        "to_emails": ["a@example.com"], "subject_template": "{title}",
      ])
    let first = try #require(provider.mail(attempt: Attempt(deliveryID: Self.sequel.firstDeliveryID, time: 0)))
    let mail = try #require(provider.mail(for: .example(.resolved(Self.sequel))))
    let lines = String(decoding: mail.message, as: UTF8.self).split(separator: "\r\n")
    let id = "<11111111-2222-4333-8444-555555555555@example.com>"
    #expect(String(decoding: first.message, as: UTF8.self).contains("Message-ID: \(id)\r\n"))
    #expect(!String(decoding: first.message, as: UTF8.self).contains("References:"))
    for line in ["In-Reply-To: \(id)", "References: \(id)", "Subject: Re: Login failed (resolved)"] {
      #expect(lines.contains(line[...]))
    }
    #expect(!lines.contains("Message-ID: \(id)"))
    let plain = AlertText(.example(.resolved(Self.sequel))).plain
    #expect(plain.hasPrefix("Resolved: Login failed\r\n\r\nSeverity: high"))
    #expect(plain.hasSuffix("Resolved: 2026-05-07T11:00:00.000000Z\r\nBy: key-7\r\n"))
    #expect(!plain.contains("root"))
  }
}
