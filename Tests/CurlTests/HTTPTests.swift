import Curl
import Delivery
import TestSupport
import Testing

@Suite("Transfers over HTTP") struct HTTPTests {
  let receiver: HTTPReceiver

  init() throws { receiver = try HTTPReceiver() }

  private func carry(_ path: String, timeoutSeconds: Int = 30) throws -> Reply {
    try CurlTests.carry(.http(HTTPTransfer(url: receiver.plainURL + path, timeoutSeconds: timeoutSeconds)))
  }

  @Test("The request arrives as it was made, to the last byte")
  func request() throws {
    let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let transfer = HTTPTransfer(
      url: receiver.url + "/hook?key=a%20b", method: "PUT",
      headers: [.init(name: "Content-Type", value: "application/json"), .init(name: "X-Empty", value: "")], body: body)
    #expect(try CurlTests.carry(.http(transfer), trusting: receiver.authority).status == 200)
    let request = try #require(receiver.requests().first)
    #expect(request.method == "PUT")
    #expect(request.path == "/hook?key=a%20b")
    #expect(request.body == body)
    #expect(request.isSecure)
    #expect(request.headers["content-type"] == "application/json")
    #expect(request.headers["x-empty"] == "")
    #expect(request.headers["user-agent"] == "Tocsin")
    #expect(request.headers["expect"] == nil)
    #expect(request.headers["content-length"] == "200000")
  }

  @Test("A request without a body is a request too")
  func emptyBody() throws {
    #expect(try carry("/empty").status == 200)
    #expect(try receiver.requests().first?.headers["content-length"] == "0")
  }

  @Test("The status, Retry-After and body come back", arguments: [200, 204, 400, 404, 429, 500, 503])
  func answer(status: Int) throws {
    let body = status == 204 ? [] : Array("because".utf8)
    try receiver.answer("/", with: .init(status, headers: [("retry-AFTER", " 120 ")], body: body))
    #expect(try carry("/") == .http(HTTPReply(status: status, retryAfter: "120", body: body)))
  }

  @Test("What the receiver says of its rate limit comes back, all lines of it, and of the answer itself alone")
  func rateLimit() throws {
    let headers = [
      ("RateLimit", #""a";r=5;t=1"#), ("ratelimit", #""b";r=0;t=60"#), ("X-RateLimit-Remaining", "0"), ("X-Other", "1"),
      ("RateLimit-Remaining-Not", "0"),
    ]
    try receiver.answer("/", with: .init(200, headers: headers))
    let fields = ["ratelimit": #""a";r=5;t=1, "b";r=0;t=60"#, "x-ratelimit-remaining": "0"]
    #expect(try carry("/") == .http(HTTPReply(status: 200, rateLimit: RateLimit(fields: fields))))
  }

  @Test("Only the beginning of a body is kept")
  func longBody() throws {
    let body = (0..<50_000).map { UInt8(truncatingIfNeeded: $0) }
    try receiver.answer("/", with: .init(body: body))
    #expect(try carry("/").http?.body == Array(body.prefix(HTTPReply.bodyLimit)))
  }

  @Test("A body without end is not waited for")
  func flood() throws {
    try receiver.answer("/", with: .init(500, ending: .flood))
    let reply = try carry("/")
    #expect(reply.status == 500)
    #expect(reply.http?.body.count == HTTPReply.bodyLimit)
  }

  @Test("Fields behind the body belong to a whole answer")
  func trailer() throws {
    let bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 1\r\n\r\n"
    try receiver.answer("/", with: .init(body: Array(bytes.utf8), ending: .bytes))
    #expect(try carry("/") == .http(HTTPReply(status: 200, body: Array("ok".utf8))))
  }

  @Test("An answer with too much of a header is none")
  func longHeader() throws {
    let fields = (0..<10).map { ("X-Field-\($0)", String(repeating: "x", count: 8000)) }
    try receiver.answer("/", with: .init(headers: fields))
    #expect(try carry("/").failure?.stage == .talking)
  }

  @Test("A redirect is an answer, and not followed")
  func redirect() throws {
    try receiver.answer("/from", with: .init(302, headers: [("Location", receiver.plainURL + "/to")]))
    #expect(try carry("/from").status == 302)
    #expect(try receiver.requests().map(\.path) == ["/from"])
  }

  @Test(
    "An answer that does not come in time is none",
    arguments: [
      HTTPReceiver.Answer(ending: .hang), .init(body: [1, 2, 3], ending: .stall), .init(afterSeconds: 5),
    ])
  func timeout(answer: HTTPReceiver.Answer) throws {
    try receiver.answer("/", with: answer)
    #expect(try carry("/", timeoutSeconds: 1).failure?.stage == .timeout)
  }

  @Test("A connection that breaks brings no answer, and the status is told where there was one")
  func broken() throws {
    try receiver.answer("/drop", with: .init(ending: .drop))
    #expect(try carry("/drop").failure?.stage == .talking)
    try receiver.answer("/cut", with: .init(500, body: [1, 2, 3], ending: .cut))
    let failure = try #require(carry("/cut").failure)
    #expect(failure.stage == .talking)
    #expect(failure.detail.hasSuffix("after a status of 500"))
  }

  @Test(
    "What is no whole answer is none, though a status may stand in it",
    arguments: [
      ("220 mail.example.com ESMTP\r\n", "what came is no answer of HTTP"), ("", "it ended without a whole answer"),
      ("HTTP/1.1 2", "it ended without a whole answer"),
      ("HTTP/1.1 200 OK\r\nContent-", "it ended without a whole answer, after a status of 200"),
      ("HTTP/1.1 100 Continue\r\n\r\n", "it ended without a whole answer, after a status of 100"),
      (
        "HTTP/1.1 200 OK\r\nX: \(String(repeating: "x", count: 200_000))\r\n\r\n",
        "the answer's header is too long, after a status of 200"
      ),
    ])
  func noAnswer(bytes: String, detail: String) throws {
    try receiver.answer("/", with: .init(body: Array(bytes.utf8), ending: .bytes))
    #expect(try carry("/").failure == TransportFailure(.talking, detail: detail))
  }

  @Test("A certificate of an authority that is not trusted is refused")
  func untrusted() throws {
    let transfer = Transfer.http(HTTPTransfer(url: receiver.url))
    #expect(try CurlTests.carry(transfer).failure?.stage == .securing)
    #expect(try CurlTests.carry(transfer, trusting: TestAuthority()).failure?.stage == .securing)
    #expect(try receiver.requests().isEmpty)
  }

  @Test("A certificate for another name is refused, unless the transfer does not verify")
  func otherName() throws {
    let other = try HTTPReceiver(authority: TestAuthority(for: "DNS:other.example"))
    let verified = Transfer.http(HTTPTransfer(url: other.url))
    #expect(try CurlTests.carry(verified, trusting: other.authority).failure?.stage == .securing)
    #expect(try other.requests().isEmpty)
    #expect(try CurlTests.carry(.http(HTTPTransfer(url: other.url, verifiesTLS: false))).status == 200)
  }

  @Test("TLS with a server that speaks none fails")
  func noTLS() throws {
    let url = receiver.plainURL.replacing("http:", with: "https:")
    #expect(try CurlTests.carry(.http(HTTPTransfer(url: url))).failure?.stage == .securing)
  }

  @Test("A port where nobody listens refuses the connection")
  func refused() throws {
    let failure = try #require(CurlTests.carry(.http(HTTPTransfer(url: "http://127.0.0.1:1/secret"))).failure)
    #expect(failure.stage == .connecting)
    #expect(!failure.detail.contains("secret"))
  }

  @Test("A name without an address is told")
  func unknownName() throws {
    let failure = try #require(CurlTests.carry(.http(HTTPTransfer(url: "https://tocsin.invalid/secret"))).failure)
    #expect(failure.stage == .resolving)
    #expect(!failure.detail.contains("secret"))
  }

  @Test(
    "What is no URL for HTTP is malformed, and what it says is not told",
    arguments: ["", "http://", "http://127.0.0.1:99999/secret", "file:///etc/passwd", "gopher://127.0.0.1/secret"])
  func malformed(url: String) throws {
    let failure = try #require(CurlTests.carry(.http(HTTPTransfer(url: url))).failure)
    #expect(failure.stage == .malformed)
    #expect(!failure.detail.contains("secret"))
  }
}
