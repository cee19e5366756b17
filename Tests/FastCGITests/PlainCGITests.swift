import Glibc
import TestSupport
import Testing

@Suite("The same program as plain CGI") struct PlainCGITests {
  private func run(_ environment: [String: String], body: [UInt8] = []) throws -> WebAnswer {
    let program = try Program("fastcgi-test-worker", environment: environment, input: .bytes(body))
    #expect(program.ending() == .exit(0))
    return try WebAnswer(cgi: program.standardOutput)
  }

  @Test("It answers the one request that its environment and standard input describe")
  func oneRequest() throws {
    let answer = try run(
      ["REQUEST_METHOD": "POST", "REQUEST_URI": "/x?y", "CONTENT_LENGTH": "4", "REMOTE_ADDR": "127.0.0.1"],
      body: [1, 2, 3, 4, 5])
    #expect(answer.text == "POST /x ? y | -|-|-|-|-|127.0.0.1 | 4 bytes, sum 10")
  }

  @Test("What might be answered together with others is answered alone")
  func alone() throws {
    #expect(try run(["REQUEST_METHOD": "GET", "REQUEST_URI": "/together"]).text == "one of 1")
  }

  @Test("A body without a length ends with the input")
  func noLength() throws {
    let body = [UInt8](repeating: 1, count: 200_000)
    #expect(try run(["REQUEST_METHOD": "POST"], body: body).text.hasSuffix("200000 bytes, sum 200000"))
    #expect(try run(["REQUEST_METHOD": "GET"], body: body).text.hasSuffix("0 bytes, sum 0"))
  }

  @Test("A body past the limit, and one that is cut short, are told apart")
  func bodyErrors() throws {
    let large = ["REQUEST_METHOD": "POST", "CONTENT_LENGTH": "1000001"]
    #expect(try run(large).text.hasSuffix("more than 1000000"))
    #expect(try run(["REQUEST_METHOD": "POST", "CONTENT_LENGTH": "3"], body: [1]).text.hasSuffix("incomplete"))
  }

  @Test(
    "Content that is not wanted takes no answer back where one socket is the input and the output",
    arguments: ["3", nil])
  func unread(length: String?) throws {
    var ends: [CInt] = [-1, -1]
    #expect(socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { close(ends[0]) }
    var environment = ["REQUEST_METHOD": "POST", "REQUEST_URI": "/none"]
    environment["CONTENT_LENGTH"] = length
    let words = ["-c", #"exec "$0" >&0"#, Program.directory + "fastcgi-test-worker"]
    let program = try Program("/bin/sh", arguments: words, environment: environment, input: .descriptor(ends[1]))
    close(ends[1])
    #expect(write(ends[0], [1, 2, 3], 3) == 3)
    shutdown(ends[0], CInt(SHUT_WR))
    #expect(program.ending() == .exit(0))
    var answer = [UInt8](repeating: 0, count: 1000)
    answer.removeLast(1000 - max(0, read(ends[0], &answer, 1000)))
    #expect(try WebAnswer(cgi: answer).status == 204)
    var more: UInt8 = 0
    #expect(read(ends[0], &more, 1) == 0)
  }

  @Test("Started by hand it says what it is for")
  func byHand() throws {
    let program = try Program("fastcgi-test-worker")
    #expect(program.ending() == .exit(64))
    #expect(program.standardError.contains("start it with a listening socket"))
  }
}
