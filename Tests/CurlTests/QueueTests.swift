import Curl
import Delivery
import Glibc
import TestSupport
import Testing

@Suite("The queue") struct QueueTests {
  private func queue(trusting authority: TestAuthority? = nil) throws -> TransferQueue<String> {
    try TransferQueue(addresses: AddressPolicy(allowing: "127.0.0.0/8"), authorities: authority?.certificateFile)
  }

  @Test("A receiver that hangs and a mail server that hangs delay nobody")
  func manyAtOnce() throws {
    let receiver = try HTTPReceiver()
    let server = try MailReceiver(.none)
    try receiver.answer("/hang", with: .init(ending: .hang))
    try server.delay(at: .message, seconds: 600)
    let queue = try queue(trusting: receiver.authority)
    queue.add(.http(HTTPTransfer(url: receiver.url + "/hang", timeoutSeconds: 120)), tag: "hang")
    queue.add(.mail(.plain(to: server, timeoutSeconds: 120)), tag: "mail")
    let tags = (1...64).map(String.init)
    for tag in tags { queue.add(.http(HTTPTransfer(url: receiver.url + "/" + tag)), tag: tag) }
    #expect(queue.count == 66)
    var finished: [String] = []
    while finished.count < 64 {
      for (tag, reply) in try queue.wait(seconds: 60) {
        #expect(reply.status == 200)
        finished.append(tag)
      }
    }
    #expect(Set(finished) == Set(tags))
    #expect(queue.count == 2)
    #expect(try queue.wait(seconds: 0).isEmpty)
  }

  @Test("A connection that is still open serves again, and one that the other side closed does not matter")
  func reuse() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/last", with: .init(headers: [("Connection", "close")]))
    let queue = try queue(trusting: receiver.authority)
    for path in ["/1", "/2", "/last", "/3"] {
      queue.add(.http(HTTPTransfer(url: receiver.url + path)), tag: path)
      #expect(try queue.all().map(\.reply.status) == [200])
    }
    let ports = try receiver.requests().map(\.clientPort)
    #expect(ports[0] == ports[1] && ports[1] == ports[2] && ports[2] != ports[3])
  }

  @Test("What comes over a connection that has served before is judged the same")
  func nonsenseAfterReuse() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/odd", with: .init(body: Array("220 mail.example.com\r\n".utf8), ending: .bytes))
    let queue = try queue()
    for (path, stage) in [("/", nil), ("/odd", TransportFailure.Stage.talking)] {
      queue.add(.http(HTTPTransfer(url: receiver.plainURL + path)), tag: path)
      #expect(try queue.all().map(\.reply.failure?.stage) == [stage])
    }
    #expect(try Set(receiver.requests().map(\.clientPort)).count == 1)
  }

  @Test("A connection that was not verified serves none that verifies")
  func reuseAfterUnverified() throws {
    let receiver = try HTTPReceiver()
    let queue = try queue()
    queue.add(.http(HTTPTransfer(url: receiver.url, verifiesTLS: false)), tag: "unverified")
    #expect(try queue.all().first?.reply.status == 200)
    queue.add(.http(HTTPTransfer(url: receiver.url)), tag: "verified")
    #expect(try queue.all().first?.reply.failure?.stage == .securing)
  }

  @Test("What is answered in time counts, though whoever has the queue was busy elsewhere for longer")
  func absence() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/", with: .init(afterSeconds: 2))
    let queue = try queue()
    queue.add(.http(HTTPTransfer(url: receiver.plainURL + "/", timeoutSeconds: 5)), tag: "answer")
    while try receiver.requests().isEmpty { #expect(try queue.wait(seconds: 0.05).isEmpty) }
    usleep(6_000_000)
    #expect(try queue.all().map(\.reply.status) == [200])
  }

  @Test("A transfer that is never answered ends, though the queue is served but now and then")
  func absenceInVain() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/", with: .init(ending: .hang))
    let queue = try queue()
    queue.add(.http(HTTPTransfer(url: receiver.plainURL + "/", timeoutSeconds: 1)), tag: "hang")
    var ended: [(tag: String, reply: Reply)] = []
    for _ in 0..<20 where ended.isEmpty {
      ended = try queue.wait(seconds: 0)
      usleep(1_500_000)
    }
    #expect(ended.map(\.reply.failure?.stage) == [.timeout])
  }

  @Test("Waiting ends when another descriptor is readable, with transfers and without", arguments: [0, 1])
  func otherDescriptor(transfers: Int) throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/", with: .init(ending: .hang))
    let queue = try queue()
    for _ in 0..<transfers { queue.add(.http(HTTPTransfer(url: receiver.plainURL + "/")), tag: "hang") }
    var ends: [CInt] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    #expect(write(ends[1], [1], 1) == 1)
    let start = time(nil)
    #expect(try queue.wait(seconds: 20, orReadable: [ends[0]]).isEmpty)
    #expect(time(nil) - start < 20)
  }

  @Test("Waiting for nothing takes its time")
  func nothing() throws {
    let start = time(nil)
    #expect(try queue().wait(seconds: 1.5).isEmpty)
    #expect(time(nil) - start >= 1)
  }

  @Test("A transfer that cannot be made comes back like any other")
  func malformed() throws {
    let queue = try queue()
    let mail = MailTransfer(
      host: "127.0.0.1", port: 25, security: .none, sender: "a@example.com", recipients: ["b@example.com>\r\nQUIT"],
      message: [])
    queue.add(.mail(mail), tag: "mail")
    #expect(queue.count == 1)
    #expect(try queue.wait(seconds: 0).first?.reply.failure?.stage == .malformed)
    #expect(queue.count == 0)
  }
}

extension MailTransfer {
  /// A short mail to a receiver that secures nothing.
  static func plain(to receiver: MailReceiver, timeoutSeconds: Int = 60) -> MailTransfer {
    MailTransfer(
      host: "127.0.0.1", port: receiver.port, security: .none, sender: "tocsin@example.com",
      recipients: ["oncall@example.com"], message: Array("Subject: An alert\r\n\r\nText\r\n".utf8),
      timeoutSeconds: timeoutSeconds)
  }
}
