import JSON
import Testing

@testable import Delivery

@Suite("Webhooks") struct WebhookTests {
  let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  @Test("An alert becomes an event of Standard Webhooks, the audit event in it as it came")
  func event() throws {
    let notice = AlertNotice.example(event: #"{"n": 1.50, "n": 2}"#)
    let request = try #require(try Provider(.webhook, ["url": "https://example.com/x"]).request(for: notice))
    #expect(request.method == "POST")
    #expect(request.verifiesTLS)
    #expect(request.timeoutSeconds == 30)
    #expect(request[header: "webhook-id"] == [Attempt.example.deliveryID])
    #expect(request[header: "webhook-timestamp"] == ["1778148000"])
    #expect(request[header: "webhook-signature"] == [])
    let text = String(decoding: request.body, as: UTF8.self)
    #expect(text.hasPrefix(#"{"type":"alert.triggered","timestamp":"2026-05-07T10:00:00.000000Z","data":{"#))
    #expect(text.contains(#""event_data":{"n": 1.50, "n": 2}"#))
    #expect(try request.json()["data"]?["severity"] == "high")
  }

  @Test("Settings of one's own count: method, headers, time, certificate")
  func settings() throws {
    let config: JSONValue = [
      "url": "https://example.com/x", "method": "PATCH", "timeout": 7, "verify_ssl": false,
      "headers": ["Authorization": "Bearer t", "content-type": "application/vnd.alert+json"],
    ]
    let request = try #require(try Provider(.webhook, config).request())
    #expect(request.method == "PATCH")
    #expect(request.timeoutSeconds == 7)
    #expect(!request.verifiesTLS)
    #expect(request[header: "Authorization"] == ["Bearer t"])
    #expect(request[header: "Content-Type"] == ["application/vnd.alert+json"])
  }

  @Test("The signature is over id, timestamp and the bytes that are sent")
  func signature() throws {
    let provider = try Provider(.webhook, ["url": "https://example.com/x", "signing_secret": .string(secret)])
    let request = try #require(provider.request())
    let key = try #require(Base64.decoded("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    let signed = Array("\(Attempt.example.deliveryID).1778148000.".utf8) + request.body
    let expected = "v1," + Base64.encoded(Digest.hmacSHA256(signed, key: key))
    #expect(request[header: "webhook-signature"] == [expected])
  }

  @Test("A later attempt has the same id and body, but a timestamp and signature of its own")
  func laterAttempt() throws {
    let provider = try Provider(.webhook, ["url": "https://example.com/x", "signing_secret": .string(secret)])
    let first = try #require(provider.request())
    let attempt = Attempt(deliveryID: Attempt.example.deliveryID, time: Attempt.example.time + 30)
    let second = try #require(provider.request(attempt: attempt))
    #expect(first.body == second.body)
    #expect(first[header: "webhook-id"] == second[header: "webhook-id"])
    #expect(first[header: "webhook-timestamp"] != second[header: "webhook-timestamp"])
    #expect(first[header: "webhook-signature"] != second[header: "webhook-signature"])
  }

  @Test("Signatures are those of the Standard Webhooks specification")
  func specification() throws {
    let key = try #require(Base64.decoded("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    let signed = Array(#"msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.{"test": 2432232314}"#.utf8)
    let signature = Base64.encoded(Digest.hmacSHA256(signed, key: key))
    #expect(signature == "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  }

  @Test("retry_count limits the schedule", arguments: [(0, 1, true), (2, 2, false), (2, 3, true)])
  func retryCount(count: Int, attempt: Int, isDead: Bool) throws {
    let config: JSONValue = ["url": "https://example.com/x", "retry_count": .number(JSONNumber(count))]
    let schedule = try Provider(.webhook, config).retrySchedule
    let outcome = schedule.outcome(of: .retry(after: nil, reason: "x"), attempt: attempt, age: 10, jitter: 0)
    #expect((outcome == .dead(reason: "x")) == isDead)
  }
}
