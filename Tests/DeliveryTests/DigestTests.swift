import JSON
import Matching
import Testing

@testable import Delivery

@Suite("What was held back") struct DigestTests {
  private static func heldBack(
    _ events: Int = 412, _ values: Int? = 3, _ fields: [String] = ["user"], isThreaded: Bool = false
  ) -> HeldBack {
    HeldBack(
      events: events, values: values, fields: fields, start: "2026-05-07T10:05:00.000000Z",
      end: "2026-05-07T10:20:00.000000Z",
      firstDeliveryID: isThreaded ? "11111111-2222-4333-8444-555555555555" : nil)
  }

  private static func notice(_ heldBack: HeldBack, key: String = "alert-1") -> AlertNotice {
    .example(.digest(heldBack), deduplicationKey: key)
  }

  @Test(
    "It is told in words that fit the numbers and the fields",
    arguments: [
      (heldBack(), "and 412 more from 3 users"), (heldBack(1, 1), "and 1 more from 1 user"),
      (heldBack(9, 2, ["identity"]), "and 9 more from 2 identities"),
      (heldBack(9, 2, ["key"]), "and 9 more from 2 keys"),
      (heldBack(9, 2, ["branch"]), "and 9 more from 2 branches"),
      (heldBack(9, 2, ["user.name"]), "and 9 more from 2 values of user.name"),
      (heldBack(9, 1, ["source_ip"]), "and 9 more from 1 value of source_ip"),
      (heldBack(9, 2, ["address"]), "and 9 more from 2 values of address"),
      (heldBack(9, 2, ["user", "ip"]), "and 9 more from 2 combinations of user and ip"),
      (heldBack(9, 1, ["a", "b", "c"]), "and 9 more from 1 combination of a, b and c"),
      (heldBack(412, nil, []), "and 412 more"), (heldBack(412, nil), "and 412 more"),
    ])
  func phrase(heldBack: HeldBack, phrase: String) { #expect(heldBack.phrase == phrase) }

  @Test("The sentence is about one event or several")
  func sentence() {
    let end = "its throttle or its hourly cap held"
    #expect(
      Self.heldBack().sentence == "412 more events from 3 users met this policy and raised no alert: \(end) them back.")
    #expect(
      Self.heldBack(1, nil, []).sentence == "1 more event met this policy and raised no alert: \(end) it back.")
  }

  @Test("It is read as it was written")
  func roundTrip() throws {
    for heldBack in [Self.heldBack(), Self.heldBack(1, nil, [])] {
      #expect(try HeldBack(json: heldBack.tree, firstDeliveryID: nil) == heldBack)
    }
    #expect(throws: JSONFaults.self) { try HeldBack(json: ["events": 0], firstDeliveryID: nil) }
  }

  @Test("A webhook gets the numbers with the words, and the alert where one is open")
  func webhook() throws {
    let provider = try Provider(.webhook, ["url": "https://example.com/x"])
    let body = try #require(try provider.request(for: Self.notice(Self.heldBack(isThreaded: true)))?.json())
    #expect(body["type"] == "alert.digest" && body["timestamp"] == "2026-05-07T10:20:00.000000Z")
    let data = try #require(body["data"])
    #expect(data["alert_id"] == "alert-1" && data["policy_id"] == "policy-1" && data["severity"] == "high")
    #expect(data["title"] == "Logins: and 412 more from 3 users" && data["summary"] == "and 412 more from 3 users")
    #expect(
      data["held_back"] == [
        "events": 412, "values": 3, "throttle_by": ["user"], "from": "2026-05-07T10:05:00.000000Z",
        "to": "2026-05-07T10:20:00.000000Z",
      ])
    #expect(try provider.request(for: Self.notice(Self.heldBack()))?.json()["data"]?["alert_id"] == .null)
  }

  @Test("PagerDuty adds it to the open incident as it is, or opens one that is not grave")
  func pagerDuty() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key"])
    let note = try #require(try provider.request(for: Self.notice(Self.heldBack(isThreaded: true)))?.json())
    #expect(note["event_action"] == "trigger" && note["dedup_key"] == "alert-1")
    #expect(note["payload"]?["severity"] == "error")
    #expect(note["payload"]?["summary"] == "Logins: and 412 more from 3 users")
    #expect(note["payload"]?["custom_details"]?["held_back"]?["events"] == 412)
    let own = try #require(try provider.request(for: Self.notice(Self.heldBack(), key: "digest"))?.json())
    #expect(own["dedup_key"] == "digest" && own["payload"]?["severity"] == "info")
  }

  @Test("Slack gets a message without the event")
  func slack() throws {
    let provider = try Provider(.slack, ["webhook_url": "https://example.com/x"])
    let message = try #require(try provider.request(for: Self.notice(Self.heldBack()))?.json())
    #expect(message["text"] == "[HIGH] Logins: and 412 more from 3 users")
    let blocks = try #require(message["attachments"]?[0]?["blocks"])
    #expect(blocks[0]?["text"]?["text"] == .string(Self.heldBack().sentence))
    let fields = try #require(blocks[1]?["fields"])
    #expect(fields[2]?["text"] == "*From*\n2026-05-07T10:05:00.000000Z")
    #expect(fields[4] == nil)
  }

  @Test("A mail is an answer to that about the open alert, or one of its own")
  func mail() throws {
    let provider = try Provider(
      .email,
      [
        "smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "alerts@example.com",
        "to_emails": ["a@example.com"],
      ])
    func text(_ heldBack: HeldBack) throws -> String {
      String(decoding: try #require(provider.mail(for: Self.notice(heldBack))).message, as: UTF8.self)
    }
    let answer = try text(Self.heldBack(isThreaded: true))
    #expect(answer.contains("\r\nReferences: <11111111-2222-4333-8444-555555555555@example.com>\r\n"))
    #expect(answer.contains("\r\nSubject: Re: Alert: high - 3 failures (and 412 more from 3 users)\r\n"))
    let own = try text(Self.heldBack())
    #expect(!own.contains("References:"))
    #expect(own.contains("\r\nSubject: Alert: high - Logins: and 412 more from 3 users\r\n"))
    let plain = AlertText(Self.notice(Self.heldBack())).plain
    #expect(plain.hasPrefix("Logins: and 412 more from 3 users\r\n\r\n412 more events"))
    #expect(!plain.contains("root"))
  }
}
