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

  @Test("Started by hand it says what it is for")
  func byHand() throws {
    let program = try Program("fastcgi-test-worker")
    #expect(program.ending() == .exit(64))
    #expect(program.standardError.contains("start it with a listening socket"))
  }
}
