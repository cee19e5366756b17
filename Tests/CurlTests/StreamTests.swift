import Curl
import Delivery
import Glibc
import TestSupport
import Testing

@Suite("Streams of bytes") struct StreamTests {
  private func address(_ text: String) throws -> StreamAddress { try #require(StreamAddress(text)) }

  private func reason(_ body: () throws -> Void) -> String {
    let failure = #expect(throws: StreamFailure.self) { try body() }
    return failure?.description ?? ""
  }

  @Test("A receiver that takes nothing is not waited for")
  func hang() throws {
    let listener = try SilentListener()
    let stream = try OutgoingStream(to: address("tcp://127.0.0.1:\(listener.port)"))
    // More than both hosts keep for a connection.
    let bytes = [UInt8](repeating: 0x20, count: 64 << 20)
    #expect(reason { try stream.send(bytes, within: 0.5) } == "the other side does not take what is sent")
  }

  @Test("A connection that nobody takes, or to a host that is none, is told")
  func noConnection() throws {
    let port = try SilentListener().port
    #expect(reason { _ = try OutgoingStream(to: address("tcp://127.0.0.1:\(port)")) }.hasPrefix("no connection: "))
    #expect(
      reason { _ = try OutgoingStream(to: address("tls://nobody.invalid:1")) }.hasPrefix("the host name has no address")
    )
  }

  @Test("A receiver that does not speak TLS is not spoken to")
  func noTLS() throws {
    let receiver = try HTTPReceiver()
    let port = receiver.plainURL.split(separator: ":")[2]
    #expect(reason { _ = try OutgoingStream(to: address("tls://127.0.0.1:\(port)")) }.hasPrefix("no secure connection"))
  }

  @Test("That the other side has gone is known before anything is sent")
  func gone() throws {
    let receiver = try SyslogReceiver()
    let stream = try OutgoingStream(to: address(receiver.plainURL))
    try receiver.waitForConnections(1)
    try stream.check()
    try receiver.endConnections()
    poll { isOver(stream) }
    #expect(reason { try stream.send([0x20], within: 10) } == "the other side closed the connection")
  }

  @Test("A receiver that talks without end is not listened to without end", .timeLimit(.minutes(2)))
  func talk() throws {
    let receiver = try SyslogReceiver()
    try receiver.talk()
    let stream = try OutgoingStream(to: address(receiver.plainURL))
    try receiver.waitForConnections(1)
    for _ in 1...3 { try stream.check() }
  }

  private func isOver(_ stream: OutgoingStream) -> Bool {
    do { try stream.check() } catch { return true }
    return false
  }
}
