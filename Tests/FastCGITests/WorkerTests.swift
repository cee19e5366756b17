import Glibc
import TestSupport
import Testing

@Suite("A FastCGI worker") struct WorkerTests {
  let socket: FastCGISocket
  let worker: Program

  init() throws {
    socket = try FastCGISocket()
    worker = try Program("fastcgi-test-worker", input: .socket(socket))
  }

  @Test("A request arrives with its method, path, query, headers and body as they were sent")
  func request() throws {
    let answer = try socket.answer(
      to: [
        "REQUEST_METHOD": "PUT", "REQUEST_URI": "/a%2Fb/c?x=1&y=?", "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": "3", "HTTP_AUTHORIZATION": "Bearer a=b", "HTTP_PREFER": "wait", "REMOTE_ADDR": "::1",
        "HTTP_X_REQUEST_ID": String(repeating: "i", count: 200), "HTTP_CONTENT_ENCODING": "gzip", "HTTP_ELSE": "no",
      ], body: [1, 2, 3])
    #expect(answer.status == 200)
    #expect(answer.headers["content-type"] == "text/plain")
    #expect(answer.headers["content-length"] == String(answer.body.count))
    let id = String(repeating: "i", count: 200)
    #expect(answer.text == "PUT /a%2Fb/c ? x=1&y=? | Bearer a=b|application/json|gzip|wait|\(id)|::1 | 3 bytes, sum 6")
  }

  @Test("A request that pauses is left alone until another one is queued, or the worker is asked to end")
  func pause() throws {
    #expect(try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/pause?3"]).text == "left alone")
    let first = try socket.connect()
    try first.send(FastCGIRecord.request(["REQUEST_METHOD": "GET", "REQUEST_URI": "/pause?6000"], body: []))
    #expect(try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/none"]).status == 204)
    #expect(try WebAnswer(cgi: first.output()).text == "wanted")
    let pipe = try NamedPipe()
    let last = try socket.connect()
    let parameters = ["REQUEST_METHOD": "GET", "REQUEST_URI": "/pause?6000", "HTTP_PREFER": pipe.path]
    try last.send(FastCGIRecord.request(parameters, body: []))
    close(try #require(pipe.writer()))
    try worker.terminate()
    #expect(try WebAnswer(cgi: last.output()).text == "wanted")
    #expect(worker.ending() == .exit(0))
  }

  @Test("A server that passes no REQUEST_URI gives the path in two decoded parts")
  func pathInParts() throws {
    let answer = try socket.answer(to: [
      "REQUEST_METHOD": "GET", "SCRIPT_NAME": "/api/x", "PATH_INFO": "/a b%é\u{1}", "QUERY_STRING": "q=1",
    ])
    #expect(answer.text.hasPrefix("GET /api/x/a%20b%25%c3%a9%01 ? q=1 |"))
  }

  @Test("One worker answers one request after the other, large ones too")
  func oneAfterTheOther() throws {
    let body = [UInt8](repeating: 1, count: 1_000_000)
    for _ in 0..<20 {
      let answer = try socket.answer(
        to: ["REQUEST_METHOD": "POST", "REQUEST_URI": "/", "CONTENT_LENGTH": "1000000"], body: body)
      #expect(answer.text.hasSuffix("1000000 bytes, sum 1000000"))
      #expect(try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/big"]).body.count == 3_000_000)
    }
  }

  @Test("A body of no announced length is read to its end")
  func noLength() throws {
    for count in [0, 65536, 100_000] {
      let body = [UInt8](repeating: 1, count: count)
      let answer = try socket.answer(to: ["REQUEST_METHOD": "POST", "REQUEST_URI": "/"], body: body)
      #expect(answer.text.hasSuffix("| \(count) bytes, sum \(count)"))
    }
  }

  @Test("A body read in pieces is the same, and so are its errors", arguments: [1, 1000, 65536, 100_000, 100_001])
  func pieces(size: Int) throws {
    let body = [UInt8](repeating: 1, count: 100_000)
    for (length, outcome) in [
      ("100000", "100000 bytes, sum 100000"), ("", "100000 bytes, sum 100000"), ("100001", "incomplete"),
      ("99999", "99999 bytes, sum 99999"), ("0", "0 bytes, sum 0"), ("1000001", "more than 1000000"),
    ] {
      let parameters = [
        "REQUEST_METHOD": "POST", "REQUEST_URI": "/", "CONTENT_LENGTH": length, "HTTP_PREFER": "\(size)",
      ]
      #expect(try socket.answer(to: parameters, body: body).text.hasSuffix("| \(outcome)"))
    }
  }

  @Test("A body that nobody reads is no hindrance")
  func unread() throws {
    let body = [UInt8](repeating: 1, count: 900_000)
    let parameters = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/none", "CONTENT_LENGTH": "900000"]
    for _ in 0..<5 { #expect(try socket.answer(to: parameters, body: body).status == 204) }
  }

  @Test("A worker that has read all of a request does not wait for the web server to close", arguments: ["", "3"])
  func closing(length: String) throws {
    let connection = try socket.connect()
    let parameters = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/", "CONTENT_LENGTH": length]
    try connection.send(FastCGIRecord.request(parameters, body: length.isEmpty ? [] : [1, 2, 3]))
    #expect(try WebAnswer(cgi: connection.output()).status == 200)
    #expect(try !connection.listensAtEnd())
  }

  @Test("A body past the limit is refused, announced or not, and the next request is answered")
  func tooLarge() throws {
    let body = [UInt8](repeating: 1, count: 5_000_000)
    for length in ["5000000", ""] {
      let parameters = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/", "CONTENT_LENGTH": length]
      #expect(try socket.answer(to: parameters, body: body).text.hasSuffix("| more than 1000000"))
    }
    #expect(try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/"]).text.hasSuffix("| 0 bytes, sum 0"))
  }

  @Test(
    "A body shorter than announced is incomplete, and so is one whose length is no number",
    arguments: ["9", "x", "-1"])
  func incomplete(length: String) throws {
    let parameters = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/", "CONTENT_LENGTH": length]
    #expect(try socket.answer(to: parameters, body: [1, 2]).text.hasSuffix("| incomplete"))
  }

  @Test("An answer to HEAD has the headers of GET and no content; 204 has no length")
  func noContent() throws {
    let head = try socket.answer(to: ["REQUEST_METHOD": "HEAD", "REQUEST_URI": "/big"])
    #expect(head.headers["content-length"] == "3000000")
    #expect(head.body.isEmpty)
    let none = try socket.answer(to: ["REQUEST_METHOD": "DELETE", "REQUEST_URI": "/none"])
    #expect(none.status == 204)
    #expect(none.headers["content-length"] == nil)
  }

  @Test("A value cannot begin a header of its own")
  func headerSplitting() throws {
    let answer = try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/split"])
    #expect(answer.headers["x-text"] == "a  X-Forged: b c")
    #expect(answer.headers["x-forged"] == nil)
  }

  @Test("Peers that go away, send rubbish or send nothing cost the others nothing")
  func badPeers() throws {
    let parameters = ["REQUEST_METHOD": "GET", "REQUEST_URI": "/big"]
    let whole = FastCGIRecord.request(parameters, body: [])
    for piece in [[], Array(whole.prefix(3)), Array(whole.prefix(30)), [UInt8](repeating: 0xFF, count: 100), whole] {
      let connection = try socket.connect()
      try connection.send(piece)
    }
    #expect(try socket.answer(to: parameters).status == 200)
    #expect(worker.ending(within: 0) == nil)
  }

  @Test("Workers that share a socket answer all requests, and each ends when it is told to")
  func pool() throws {
    let others = try (0..<3).map { _ in
      try Program("fastcgi-test-worker", input: .socket(socket))
    }
    for _ in 0..<200 {
      #expect(try socket.answer(to: ["REQUEST_METHOD": "GET", "REQUEST_URI": "/"]).status == 200)
    }
    for program in others + [worker] {
      try program.terminate()
      #expect(program.ending() == .exit(0))
      #expect(program.standardError == "")
    }
  }

  @Test("A signal to end lets the request in hand be finished", arguments: [SIGTERM, SIGINT, SIGUSR1])
  func termination(signal: CInt) throws {
    let pipe = try NamedPipe()
    let connection = try socket.connect()
    let parameters = ["REQUEST_METHOD": "GET", "REQUEST_URI": "/wait?\(pipe.path)"]
    try connection.send(FastCGIRecord.request(parameters, body: []))
    let writer = try #require(pipe.writer())
    worker.signal(signal)
    #expect(worker.ending(within: 0) == nil)
    close(writer)
    #expect(try WebAnswer(cgi: connection.output()).text == "waited")
    #expect(worker.ending() == .exit(0))
  }
}
