import JSON
import Matching
import Testing

@testable import Delivery

@Suite("PagerDuty") struct PagerDutyTests {
  @Test("An alert becomes a trigger event")
  func trigger() throws {
    let request = try #require(try Provider(.pagerDuty, ["api_key": "key"]).request())
    #expect(request.url == "https://events.pagerduty.com/v2/enqueue")
    #expect(request.method == "POST")
    #expect(request[header: "Content-Type"] == ["application/json; charset=utf-8"])
    let expected: JSONValue = [
      "routing_key": "key", "event_action": "trigger", "dedup_key": "alert-1", "client": "Tocsin",
      "payload": [
        "summary": "3 failures", "source": "tocsin/acme", "severity": "error",
        "timestamp": "2026-05-07T10:00:00.000000Z", "component": "policy-1", "class": "Logins",
        "custom_details": [
          "alert_id": "alert-1", "policy_id": "policy-1", "title": "Login failed",
          "message": "root failed to log in", "event": ["user": "root"],
        ],
      ],
    ]
    #expect(try request.json() == expected)
  }

  @Test(
    "Every severity becomes one of PagerDuty's four",
    arguments: zip(Severity.allCases, ["critical", "error", "warning", "info", "info"]))
  func severities(severity: Severity, expected: String) throws {
    let request = try Provider(.pagerDuty, ["api_key": "key"]).request(for: .example(severity: severity))
    #expect(try request?.json()["payload"]?["severity"] == .string(expected))
  }

  @Test("A severity map wins where it says something")
  func severityMap() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key", "severity_map": ["high": "critical"]])
    #expect(try provider.request()?.json()["payload"]?["severity"] == "critical")
    #expect(try provider.request(for: .example(severity: .low))?.json()["payload"]?["severity"] == "info")
  }

  @Test("The address is the region's, or the operator's")
  func baseURL() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key", "region": "eu"])
    #expect(provider.request()?.url == "https://events.eu.pagerduty.com/v2/enqueue")
    #expect(provider.request(pagerDutyURL: "http://localhost:1/pd/")?.url == "http://localhost:1/pd/v2/enqueue")
  }

  @Test("Summary and key keep to their limits, and different long keys stay different")
  func limits() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key"])
    let keys = try ["a", "b"].map { end in
      let notice = AlertNotice.example(
        summary: String(repeating: "é😀", count: 1000), deduplicationKey: String(repeating: "k", count: 300) + end)
      let json = try #require(try provider.request(for: notice)?.json())
      let summary = try #require(json["payload"]?["summary"]?.string)
      #expect((1023...1024).contains(summary.utf16.count))
      #expect(summary.hasSuffix("…"))
      return try #require(json["dedup_key"]?.string)
    }
    #expect(keys[0] != keys[1])
    #expect(keys.allSatisfy { $0.utf8.count <= 255 })
  }

  @Test("An event that makes the whole too large is left out, and that is told")
  func largeEvent() throws {
    let event = #"{"text":""# + String(repeating: "x", count: 512_000) + #""}"#
    let request = try #require(try Provider(.pagerDuty, ["api_key": "key"]).request(for: .example(event: event)))
    #expect(request.body.count < 512_000)
    let details = try request.json()["payload"]?["custom_details"]
    #expect(details?["event"] == nil)
    #expect(details?["event_left_out"]?.string?.hasPrefix("512011 bytes") == true)
  }

  @Test("An event with half a surrogate pair reaches PagerDuty as valid text")
  func loneSurrogate() throws {
    let request = try Provider(.pagerDuty, ["api_key": "key"]).request(for: .example(event: #"{"a":"\ud800"}"#))
    let text = String(decoding: try #require(request).body, as: UTF8.self)
    #expect(!text.contains("\\ud800"))
    #expect(text.contains("\u{FFFD}"))
  }

  @Test("Only 202 is a confirmation")
  func confirmation() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "key"])
    #expect(provider.verdict(on: .http(HTTPReply(status: 202)), receivedAt: 0) == .sent(remark: nil))
    guard case .retry = provider.verdict(on: .http(HTTPReply(status: 200)), receivedAt: 0) else {
      Issue.record("a 200 was taken for a yes")
      return
    }
  }
}
