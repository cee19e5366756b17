import Curl
import Delivery
import TestSupport
import Testing

/// Whether what is sent to it is well-formed, other tests learn from it alone.
@Suite("The syslog server of the tests") struct SyslogReceiverTests {
  private static let sound = "<109>1 2026-05-07T10:00:00.000001Z web-1 tocsin 7 create [x@1 a=\"b\"] \u{FEFF}text"

  private let receiver: SyslogReceiver

  init() throws { receiver = try SyslogReceiver() }

  private func frame(_ message: String) -> String { "\(message.utf8.count) \(message)" }

  private func send(_ text: String) throws {
    let stream = try OutgoingStream(to: #require(StreamAddress(receiver.plainURL)))
    do {
      try stream.send(Array(text.utf8), within: 60)
    } catch {
      // It does not read on behind a fault.
    }
  }

  @Test("It takes a message that is well-formed")
  func soundness() throws {
    try send(frame(Self.sound) + frame(Self.sound))
    #expect(try poll { try receiver.messages().map(\.text) == ["text", "text"] })
    #expect(try receiver.faults() == [])
  }

  @Test("It takes no frame of another length than it says")
  func frames() throws {
    let length = Self.sound.utf8.count
    let frames = ["x", "012 ", "3 abc", "\(length - 1) " + Self.sound, "\(length + 1) " + Self.sound]
    for (count, frame) in frames.enumerated() {
      try send(frame + self.frame(Self.sound))
      #expect(try poll { try receiver.faults().count == count + 1 }, "\(frame)")
    }
  }

  @Test("It takes no message in which something is not as RFC 5424 has it")
  func messages() throws {
    let changes = [
      ("<109>", "<0109>"), ("<109>", "<192>"), ("<109>", ""), (">1 ", ">2 "), (">1 ", "> "), ("-07T", "-32T"),
      (".000001Z", ".0000001Z"), ("Z ", " "), ("Z ", "z "), ("web-1 ", ""), ("web-1", "wéb"), ("tocsin ", ""),
      ("create", String(repeating: "x", count: 33)), ("[x@1", "[x"), ("[x@1", "[x=@1"), (#""b""#, #""b"c""#),
      (#""b""#, #""b]""#), (#""b""#, #""\b""#), (#""b""#, #""\""#), (#""b""#, "b"), (#""b""#, #""b" a="c""#),
      ("] ", "]"), ("\u{FEFF}", ""), ("text", "te\nxt"), ("text", "te\u{2028}xt"),
    ]
    for (count, (part, other)) in changes.enumerated() {
      let message = Self.sound.replacing(part, with: other, maxReplacements: 1)
      #expect(message != Self.sound)
      try send(frame(message))
      #expect(try poll { try receiver.faults().count == count + 1 }, "\(message)")
    }
    #expect(try receiver.messages().isEmpty)
  }
}
