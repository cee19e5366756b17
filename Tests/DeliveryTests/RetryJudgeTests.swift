import Testing

@testable import Delivery

@Suite("What a reply means") struct RetryJudgeTests {
  private enum Kind { case sent, retry, rejected }

  private func kind(_ verdict: Verdict) -> Kind {
    switch verdict {
    case .sent: .sent
    case .retry, .sentToSome: .retry
    case .rejected: .rejected
    }
  }

  private func provider() throws -> Provider {
    try Provider(.webhook, ["url": "https://example.com/x", "headers": ["Authorization": "Bearer s3cret-token"]])
  }

  @Test("Every status code is sent, tried again or rejected", arguments: 100...599)
  func statuses(status: Int) throws {
    let expected: Kind =
      switch status {
      case 200...299: .sent
      case 100...199, 408, 425, 429, 500...599: .retry
      default: .rejected
      }
    #expect(kind(try provider().verdict(on: .http(HTTPReply(status: status)), receivedAt: 0)) == expected)
  }

  @Test(
    "A transfer without an answer is tried again, unless it can never succeed",
    arguments: TransportFailure.Stage.allCases)
  func failures(stage: TransportFailure.Stage) throws {
    let isFinal = stage == .forbiddenAddress || stage == .malformed
    let verdict = try provider().verdict(on: .failure(TransportFailure(stage, detail: "d")), receivedAt: 0)
    #expect(kind(verdict) == (isFinal ? .rejected : .retry))
  }

  @Test(
    "Every SMTP code is sent, tried again or rejected",
    arguments: [220, 250, 251, 354, 421, 450, 451, 452, 500, 535, 550, 554])
  func mailCodes(code: Int) throws {
    let expected: Kind = code < 300 ? .sent : code >= 500 ? .rejected : .retry
    #expect(kind(try provider().verdict(on: .mail(MailReply(code: code, text: "t")), receivedAt: 0)) == expected)
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
