import Curl
import Delivery
import TestSupport
import Testing

@Suite("Connections to addresses that are not allowed") struct AddressTests {
  @Test("No connection is made, and the address is told", arguments: ["http://127.0.0.1", "https://localhost"])
  func loopback(host: String) throws {
    let receiver = try HTTPReceiver()
    let port = (host.hasPrefix("https") ? receiver.url : receiver.plainURL).split(separator: ":")[2]
    let reply = try carry(.http(HTTPTransfer(url: "\(host):\(port)/secret")), allowing: "")
    let failure = try #require(reply.failure)
    #expect(failure.stage == .forbiddenAddress)
    #expect(["127.0.0.1", "::1"].contains(failure.detail))
    #expect(try receiver.requests().isEmpty)
  }

  @Test(
    "Every spelling of an address is the same address",
    arguments: [
      "169.254.169.254", "2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "[::ffff:169.254.169.254]",
      "[64:ff9b::a9fe:a9fe]", "[fe80::1]", "[::]", "0.0.0.0", "127.1", "[fd00:ec2::254]",
    ])
  func spellings(host: String) throws {
    let reply = try carry(.http(HTTPTransfer(url: "http://\(host)/latest/meta-data", timeoutSeconds: 5)), allowing: "")
    #expect(reply.failure?.stage == .forbiddenAddress)
  }

  @Test("Mail goes by the same policy", arguments: MailSecurity.allCases)
  func mail(security: MailSecurity) throws {
    let transfer = MailTransfer(
      host: "127.0.0.1", port: 25, security: security, sender: "a@example.com", recipients: ["b@example.com"],
      message: [])
    #expect(
      try carry(.mail(transfer), allowing: "").failure == TransportFailure(.forbiddenAddress, detail: "127.0.0.1"))
  }

  @Test("An allowed address where nobody listens is not a forbidden one, though the name has that too")
  func bothKinds() throws {
    #expect(try carry(.http(HTTPTransfer(url: "http://localhost:1"))).failure?.stage == .connecting)
  }
}
