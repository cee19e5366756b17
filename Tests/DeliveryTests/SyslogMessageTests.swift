import Delivery
import Testing

@Suite("Messages to syslog servers") struct SyslogMessageTests {
  private func message(
    host: String = "web-1", id: String = "create", data: KeyValuePairs<StaticString, String?> = ["a": "b"],
    text: String = "text"
  ) -> SyslogMessage {
    SyslogMessage(
      .notice, timestamp: "2026-05-07T10:00:00.000001Z", hostname: host, processID: 7, messageID: id,
      data: SyslogData("tocsin", enterprise: 32473, data), text: text)
  }

  private func words(_ message: SyslogMessage) -> String { String(decoding: message.bytes, as: UTF8.self) }

  @Test("A message has all that RFC 5424 asks for, in its order")
  func whole() {
    #expect(
      words(message()) == "<109>1 2026-05-07T10:00:00.000001Z web-1 tocsin 7 create [tocsin@32473 a=\"b\"] \u{FEFF}text"
    )
  }

  @Test("A frame is the number of the message's bytes, a blank and the message")
  func frame() {
    let message = message(text: "ü😀")
    #expect(message.frame == Array("\(message.bytes.count) ".utf8) + message.bytes)
    #expect(message.bytes.suffix(9).elementsEqual([0xEF, 0xBB, 0xBF] + Array("ü😀".utf8)))
  }

  @Test("A parameter ends where it is meant to, and one without a value is left out")
  func parameters() {
    let data = SyslogData("x", enterprise: 1, ["q": #"a"]\b"#, "none": nil, "e": ""])
    let message = SyslogMessage(
      .warning, timestamp: "-", hostname: "h", processID: 1, messageID: "m", data: data, text: "")
    #expect(words(message) == "<108>1 - h tocsin 1 m [x@1 q=\"a\\\"\\]\\\\b\" e=\"\"] \u{FEFF}")
  }

  @Test(
    "No control character and no line break is in a message, wherever it was",
    arguments: ["\n", "\r\n", "\0", "\u{1B}", "\t", "\u{7F}", "\u{85}", "\u{9B}", "\u{2028}", "\u{2029}"])
  func controls(text: String) {
    let control = "a" + text + "<13>1 - - - - - - forged"
    let message = message(host: control, id: control, data: ["a": control], text: control)
    #expect(words(message).unicodeScalars.allSatisfy { !$0.isLineBreakOrControl })
    #expect(words(message).contains("a\u{FFFD}"))
    #expect(words(message).split(separator: " ")[2].hasPrefix("a?"))
  }

  @Test("A field of the header is visible ASCII within its bounds, or a hyphen for none")
  func fields() {
    let message = words(message(host: "", id: "ü " + String(repeating: "x", count: 99)))
    let fields = message.split(separator: " ")
    #expect(fields[2] == "-")
    #expect(fields[5] == "??" + String(repeating: "x", count: 30))
  }

  @Test(
    "An address is a scheme, a host and a port",
    arguments: ["tcp://127.0.0.1:601", "tls://siem.example.com:6514", "tls://[::1]:6514"])
  func address(text: String) throws {
    let address = try #require(StreamAddress(text))
    #expect("\(address)" == text)
    #expect(address.isSecure == text.hasPrefix("tls"))
  }

  @Test(
    "What is no address is none",
    arguments: [
      "", "siem.example.com:6514", "tls://siem.example.com", "tls://:6514", "udp://a:514", "tcp://a:0", "tcp://a:65536",
      "tcp://a:+1", "tcp://a:", "tcp://u@a:1", "tcp://a/b:1", "tcp://::1:601", "tcp://a:1/", "TCP://a:1", "tcp://a b:1",
    ])
  func noAddress(text: String) {
    #expect(StreamAddress(text) == nil)
  }
}
