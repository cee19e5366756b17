import Glibc
import TestSupport
import Testing

@Suite("Requests that a FastCGI worker answers together") struct TogetherTests {
  private let socket: FastCGISocket
  /// Ends with the suite.
  private let worker: Program

  init() throws {
    socket = try FastCGISocket()
    worker = try Program("fastcgi-test-worker", input: .socket(socket))
  }

  private func send(_ path: String) throws -> FastCGIConnection {
    let connection = try socket.connect()
    try connection.send(FastCGIRecord.request(["REQUEST_METHOD": "GET", "REQUEST_URI": path], body: []))
    return connection
  }

  /// Has requests come while the worker is busy with another one.
  private func whileBusy(_ paths: [String]) throws -> [FastCGIConnection] {
    let pipe = try NamedPipe()
    let busy = try send("/wait?\(pipe.path)")
    let writer = try #require(pipe.writer())
    let waiting = try paths.map(send)
    close(writer)
    #expect(try text(busy) == "waited")
    return waiting
  }

  private func text(_ connection: FastCGIConnection) throws -> String { try WebAnswer(cgi: connection.output()).text }

  @Test("Those that wait are taken together, up to sixteen, and nobody waits for one that is still to come")
  func together() throws {
    #expect(try text(send("/together")) == "one of 1")
    let waiting = try whileBusy(Array(repeating: "/together", count: 20))
    let texts = try waiting.map(text)
    #expect(texts == Array(repeating: "one of 16", count: 16) + Array(repeating: "one of 4", count: 4))
  }

  @Test("One that joins and is answered alone all the same comes when those before it have their answers")
  func alone() throws {
    let waiting = try whileBusy(["/together", "/together", "/together?alone", "/together"])
    let texts = try waiting.map(text)
    #expect(texts[..<2] == ["one of 2", "one of 2"])
    #expect(texts[2].hasPrefix("GET /together ? alone"))
    #expect(texts[3] == "one of 1")
  }

  @Test("One that does not join is answered by itself, and those before it do not wait for it")
  func others() throws {
    let pipe = try NamedPipe()
    let waiting = try whileBusy(["/together", "/together", "/wait?\(pipe.path)", "/together"])
    #expect(try waiting[..<2].map(text) == ["one of 2", "one of 2"])
    close(try #require(pipe.writer()))
    #expect(try waiting[2...].map(text) == ["waited", "one of 1"])
  }

  @Test("However many wait, a worker that is asked to end leaves those that it has not taken to others")
  func termination() throws {
    let pipe = try NamedPipe()
    let waiting = try whileBusy(
      ["/whose/a?\(pipe.path)"] + (0..<40).map { $0.isMultiple(of: 2) ? "/whose/b" : "/whose/a" })
    let writer = try #require(pipe.writer())
    worker.signal(SIGTERM)
    close(writer)
    #expect(worker.ending() == .exit(0))
    let other = try Program("fastcgi-test-worker", input: .socket(socket))
    let answers = try waiting.map(text)
    #expect(answers.count { $0 == "\(worker.pid)" } == 16)
    #expect(answers.count { $0 == "\(other.pid)" } == 25)
  }
}
