import JSON
import Testing

@testable import Delivery

@Suite("What a reply means") struct RetryJudgeTests {
  enum Kind { case sent, retry, rejected, gone }

  private func kind(_ verdict: Verdict) -> Kind {
    switch verdict {
    case .sent: .sent
    case .retry, .sentToSome: .retry
    case .rejected: .rejected
    case .gone: .gone
    }
  }

  private func provider() throws -> Provider {
    try Provider(.webhook, ["url": "https://example.com/x", "headers": ["Authorization": "Bearer s3cret-token"]])
  }

  /// A kind of provider, with what it alone takes for a yes and for the receiver's end.
  struct Reading: Sendable {
    let type: ProviderType
    let config: JSONValue
    let yes: ClosedRange<Int>
    let body: String
    let gone: Set<Int>

    static let all = [
      Reading(type: .webhook, config: ["url": "https://example.com/x"], yes: 200...299, body: "", gone: [410]),
      Reading(
        type: .slack, config: ["webhook_url": "https://example.com/x"], yes: 200...200, body: "ok",
        gone: [403, 404, 410]),
      Reading(type: .pagerDuty, config: ["api_key": "0123456789"], yes: 202...202, body: "{}", gone: []),
    ]
  }

  @Test("Every status code is sent, tried again, rejected or the end, by each kind", arguments: Reading.all, 100...599)
  func statuses(reading: Reading, status: Int) throws {
    let provider = try Provider(reading.type, reading.config)
    let expected: Kind =
      switch status {
      case reading.yes: .sent
      case 100...299, 408, 425, 429, 500...599: .retry
      default: reading.gone.contains(status) ? .gone : .rejected
      }
    let reply = Reply.http(HTTPReply(status: status, body: Array(reading.body.utf8)))
    #expect(kind(provider.verdict(on: reply, receivedAt: 0)) == expected)
    #expect(reply.receiver == (status >= 500 || status == 408 ? .down : .answering))
  }

  @Test("Slack's yes is the word ok")
  func slackBody() throws {
    let slack = try Provider(.slack, ["webhook_url": "https://example.com/x"])
    for body in ["", "no_team", "okay"] {
      let reply = Reply.http(HTTPReply(status: 200, body: Array(body.utf8)))
      #expect(kind(slack.verdict(on: reply, receivedAt: 0)) == .retry)
    }
  }

  @Test(
    "A transfer without an answer is tried again by each kind, unless it can never succeed",
    arguments: Reading.all, TransportFailure.Stage.allCases)
  func failures(reading: Reading, stage: TransportFailure.Stage) throws {
    let isFinal = stage == .forbiddenAddress || stage == .malformed
    let reply = Reply.failure(TransportFailure(stage, detail: "d"))
    let verdict = try Provider(reading.type, reading.config).verdict(on: reply, receivedAt: 0)
    #expect(kind(verdict) == (isFinal ? .rejected : .retry))
    #expect(reply.receiver == (isFinal ? .unknown : .down))
  }

  @Test("Every SMTP code is sent, tried again or rejected", arguments: 200...599)
  func mailCodes(code: Int) throws {
    let mail = try Provider(
      .email,
      [
        "smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "a@example.com",
        "to_emails": ["b@example.com"],
      ])
    let expected: Kind = code < 300 ? .sent : code >= 500 ? .rejected : .retry
    let reply = Reply.mail(MailReply(code: code, text: "t"))
    #expect(kind(mail.verdict(on: reply, receivedAt: 0)) == expected)
    #expect(reply.receiver == (code == 421 ? .down : .answering))
  }

  @Test(
    "Retry-After is honoured, as seconds and as a date",
    arguments: [
      ("120", 120), (" 0 ", 0), ("10800", 10_800), ("Sun, 06 Nov 1994 08:49:37 GMT", 77),
      ("Sunday, 06-Nov-94 08:49:37 GMT", 77), ("Sun Nov  6 08:49:37 1994", 77), ("Sun, 06 Nov 1994 08:00:00 GMT", 0),
      ("99999999999999999999999", 1_000_000_000),
    ])
  func retryAfter(field: String, seconds: Int) throws {
    let reply = Reply.http(HTTPReply(status: 503, retryAfter: field))
    let verdict = try provider().verdict(on: reply, receivedAt: 784_111_700)
    #expect(verdict == .retry(after: seconds, reason: "answered 503"))
  }

  @Test(
    "A Retry-After that is neither is as good as none",
    arguments: ["", "soon", "-5", "1.5", "Sun, 06 Foo 1994 08:49:37 GMT"])
  func noRetryAfter(field: String) throws {
    let reply = Reply.http(HTTPReply(status: 429, retryAfter: field))
    #expect(try provider().verdict(on: reply, receivedAt: 0) == .retry(after: nil, reason: "answered 429"))
  }

  @Test("A reason quotes the answer in one line, without the provider's secrets")
  func reasons() throws {
    let body = "no such token:\r\n\u{1B}[31m s3cret-token (sent Bearer s3cret-token)"
    let verdict = try provider().verdict(on: .http(HTTPReply(status: 400, body: Array(body.utf8))), receivedAt: 0)
    #expect(verdict == .rejected(reason: "answered 400: no such token: [31m ******** (sent ********)"))
  }

  @Test("A long answer is quoted in part")
  func longReason() throws {
    let reply = HTTPReply(status: 500, body: Array(repeating: UInt8(ascii: "x"), count: 2048))
    guard case .retry(_, let reason) = try provider().verdict(on: .http(reply), receivedAt: 0) else {
      Issue.record("a 500 is tried again")
      return
    }
    #expect(reason.count < 350)
  }

  @Test("Recipients refused for now are tried again alone")
  func someRefusedForNow() throws {
    let reply = MailReply(
      code: 250, text: "queued",
      refusals: [
        .init(recipient: "full@example.com", code: 452, text: "full"),
        .init(recipient: "gone@example.com", code: 550, text: "no such user"),
      ])
    let verdict = try provider().verdict(on: .mail(reply), receivedAt: 0)
    let reason = "full@example.com refused with 452: full; gone@example.com refused with 550: no such user"
    #expect(verdict == .sentToSome(remaining: ["full@example.com"], reason: reason))
  }

  @Test("Recipients refused for good are told, though the mail is sent")
  func someRefusedForGood() throws {
    let refusal = MailReply.Refusal(recipient: "gone@example.com", code: 550, text: "no such user")
    let verdict = try provider().verdict(on: .mail(MailReply(code: 250, text: "", refusals: [refusal])), receivedAt: 0)
    #expect(verdict == .sent(remark: "gone@example.com refused with 550: no such user"))
  }

  @Test("Where all are refused, one refusal for now is enough to try again", arguments: [(452, 550), (550, 452)])
  func allRefused(first: Int, second: Int) throws {
    let refusals = [first, second].map { MailReply.Refusal(recipient: "r\($0)@example.com", code: $0, text: "") }
    let verdict = try provider().verdict(
      on: .mail(MailReply(code: second, text: "", refusals: refusals)), receivedAt: 0)
    #expect(kind(verdict) == .retry)
  }
}
