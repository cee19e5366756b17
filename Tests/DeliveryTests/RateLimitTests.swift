import JSON
import Testing

@testable import Delivery

/// When the replies of these tests were received, in Unix seconds.
private let now = 1_778_148_000

@Suite("What a receiver says of its rate limit") struct RateLimitTests {
  private func pause(_ fields: [String: String]) -> Int? { RateLimit(fields: fields).pauseSeconds(receivedAt: now) }

  @Test(
    "Where nothing remains it is left alone until its reset, told in seconds or plainly as a moment",
    arguments: [
      ("0", "60", 60), ("0", "0.2", 1), ("0.0", "59.001", 60), ("0", "1778148090", 90), ("0", "1778148000.5", 1),
      ("0", "1778148060500", 61), ("0", "999999999", 259_200), ("0", "1888148000", 259_200),
    ])
  func reset(remaining: String, reset: String, seconds: Int) {
    for prefix in ["", "x-"] {
      #expect(pause(["\(prefix)ratelimit-remaining": remaining, "\(prefix)ratelimit-reset": reset]) == seconds)
    }
  }

  @Test(
    "What remains, is over, or says nothing sensible holds nothing",
    arguments: [
      ("1", "60"), ("0", "0"), ("0", "1778147000"), ("0", "-5"), ("-1", "60"), ("0", ""), ("", "60"), ("0", "soon"),
      ("none", "60"), ("0, 0", "60"), ("0", "1e3"), ("0", "60 "), ("0", "1."), ("0", ".5"), ("0", "0x10"),
      ("0", "99999999999999999999"), ("00", "Thu, 07 May 2026 10:00:00 GMT"),
    ])
  func nothing(remaining: String, reset: String) {
    #expect(pause(["ratelimit-remaining": remaining, "ratelimit-reset": reset]) == nil)
  }

  @Test("One field without the other says nothing, nor do those of two families together")
  func halves() {
    #expect(pause([:]) == nil)
    #expect(pause(["ratelimit-remaining": "0"]) == nil)
    #expect(pause(["x-ratelimit-reset": "60"]) == nil)
    #expect(pause(["ratelimit-remaining": "0", "x-ratelimit-reset": "60"]) == nil)
  }

  @Test(
    "The structured fields: the longest wait of the policies of which nothing remains",
    arguments: [
      (#""default";r=0;t=30"#, nil, 30), (#"default;r=0;t=30"#, nil, 30), (#""a";t=30;r=0;pk=:cHI=:"#, nil, 30),
      (#""a";r=5;t=90, "b";r=0;t=30"#, nil, 30), (##""a";r=0;t=90 ,\##t"b";r=0;t=30"##, nil, 90),
      (#""a";r=0"#, #""b";q=1;w=9,"a";q=100;w=60"#, 60), (#""a";r=0;t=5"#, #""a";q=100;w=60"#, 5),
      (#""a\"\\b";r=0;t=7;x=?1;y="s";z=tok/en;n=1.5;k"#, nil, 7), (#""a";r=0;t=999999999"#, nil, 259_200),
    ] as [(String, String?, Int)])
  func structured(limit: String, policy: String?, seconds: Int) {
    var fields = ["ratelimit": limit]
    fields["ratelimit-policy"] = policy
    #expect(pause(fields) == seconds)
  }

  @Test(
    "A structured field that is malformed, or does not say that nothing remains, holds nothing",
    arguments: [
      #""a";r=1;t=30"#, #""a";t=30"#, #""a";r=0"#, #""a";r=0;t=0"#, #""a";r=0;t=-5"#, #""a";r=0;t=1.5"#,
      #""a";r=0;t="30""#, #""a;r=0;t=30"#, #""a";r=0;t=30,"#, #""a";r=0;t=30 "b";r=0;t=30"#, #";r=0;t=30"#,
      #""a";R=0;t=30"#, #""a";r=0;t=3-0"#, #""a";r=0;t="#, #""a";r=0;t=30;"#, #""\a";r=0;t=30"#,
      #"limit=1, remaining=0"#,
      #""é";r=0;t=30"#, #""a";r=0;t=1234567890123456"#, "0;r=0;t=30", "", "  ", #""a";r=0;t=30;x=?2"#,
      #""a";r=0;t=30;x=:"#,
    ])
  func malformed(limit: String) { #expect(pause(["ratelimit": limit]) == nil) }

  @Test("The longer of Retry-After and the rate limit counts, and none where the makers ask for a pace")
  func together() throws {
    let limit = RateLimit(fields: ["ratelimit-remaining": "0", "ratelimit-reset": "60"])
    let webhook = try Provider(.webhook, ["url": "https://example.com/x"])
    let slack = try Provider(.slack, ["webhook_url": "https://example.com/x"])
    for (retryAfter, seconds) in [("30", 60), ("90", 90)] {
      let reply = Reply.http(HTTPReply(status: 429, retryAfter: retryAfter, rateLimit: limit))
      func pause(_ provider: Provider) -> Int? {
        provider.pauseSeconds(after: reply, provider.verdict(on: reply, receivedAt: now), receivedAt: now)
      }
      #expect(pause(webhook) == seconds)
      #expect(pause(slack) == Int(retryAfter))
    }
    let taken = Reply.http(HTTPReply(status: 200, rateLimit: limit))
    #expect(webhook.pauseSeconds(after: taken, .sent(remark: nil), receivedAt: now) == 60)
    #expect(webhook.pauseSeconds(after: .http(HTTPReply(status: 200)), .sent(remark: nil), receivedAt: now) == nil)
    let failure = Reply.failure(TransportFailure(.talking, detail: "d"))
    #expect(webhook.pauseSeconds(after: failure, .retry(after: nil, reason: "r"), receivedAt: now) == nil)
  }
}
