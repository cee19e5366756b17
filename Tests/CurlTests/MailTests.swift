import Curl
import Delivery
import Glibc
import TestSupport
import Testing

@Suite("Transfers over SMTP") struct MailTests {
  private static let login = (user: "tocsin", password: "a p@ss:w\"örd")
  private static let text = "Subject: An alert\r\n\r\n.\r\n..two\r\n.three\r\ntext\r\n"

  private func transfer(
    to receiver: MailReceiver, _ security: MailSecurity, login: (user: String, password: String)? = nil,
    recipients: [String] = ["oncall@example.com"], message: String = Self.text
  ) -> MailTransfer {
    MailTransfer(
      host: receiver.host, port: receiver.port, security: security,
      login: login.map { MailTransfer.Login(user: $0.user, password: $0.password) }, sender: "tocsin@example.com",
      recipients: recipients, message: Array(message.utf8))
  }

  @Test(
    "A mail arrives to the last byte, secured and logged in",
    arguments: [(MailReceiver.Security.startTLS, MailSecurity.startTLS), (.implicit, .implicit)])
  func secured(security: MailReceiver.Security, by how: MailSecurity) throws {
    let receiver = try MailReceiver(security, login: Self.login)
    let recipients = ["oncall@example.com", "team@example.com"]
    let transfer = transfer(to: receiver, how, login: Self.login, recipients: recipients)
    #expect(try carry(.mail(transfer), trusting: receiver.authority) == .mail(MailReply(code: 250, text: "taken")))
    let message = try #require(receiver.messages().first)
    #expect(message.sender == "tocsin@example.com")
    #expect(message.recipients == recipients)
    #expect(message.user == "tocsin")
    #expect(message.isSecure)
    #expect(message.text == Self.text)
  }

  @Test("A mail goes without TLS and without a login where neither is asked for")
  func unsecured() throws {
    let receiver = try MailReceiver(.none)
    #expect(try carry(.mail(transfer(to: receiver, .none))).mail?.code == 250)
    let message = try #require(receiver.messages().first)
    #expect(!message.isSecure && message.user == nil)
    #expect(message.text == Self.text)
  }

  @Test("A line feed alone hides no end of the message", arguments: ["a\n.\nb\r\n", "a\n.\r\nb\r\n", "a\r\n.\r\nb"])
  func smuggling(body: String) throws {
    let receiver = try MailReceiver(.none)
    let transfer = transfer(to: receiver, .none, message: "Subject: x\r\n\r\n" + body)
    #expect(try carry(.mail(transfer)).mail?.code == 250)
    #expect(try receiver.messages().count == 1)
  }

  @Test("A large mail arrives whole")
  func large() throws {
    let receiver = try MailReceiver(.implicit)
    let message = "Subject: x\r\n\r\n" + String(repeating: String(repeating: "x", count: 76) + "\r\n", count: 20_000)
    let transfer = transfer(to: receiver, .implicit, message: message)
    #expect(try carry(.mail(transfer), trusting: receiver.authority).mail?.code == 250)
    #expect(try receiver.messages().first?.text == message)
  }

  @Test(
    "A certificate that is not trusted is refused before anything is said",
    arguments: [MailSecurity.startTLS, .implicit])
  func untrusted(security: MailSecurity) throws {
    let receiver = try MailReceiver(security == .implicit ? .implicit : .startTLS, login: Self.login)
    #expect(try carry(.mail(transfer(to: receiver, security, login: Self.login))).failure?.stage == .securing)
    #expect(try receiver.messages().isEmpty)
  }

  @Test("Nothing is sent where STARTTLS is not offered")
  func noSTARTTLS() throws {
    let receiver = try MailReceiver(.none)
    #expect(try carry(.mail(transfer(to: receiver, .startTLS))).failure?.stage == .securing)
    #expect(try receiver.messages().isEmpty)
  }

  @Test("A password does not go over a connection without TLS")
  func loginInTheClear() throws {
    let receiver = try MailReceiver(.none, login: Self.login)
    let failure = try #require(carry(.mail(transfer(to: receiver, .none, login: Self.login))).failure)
    #expect(failure.stage == .malformed)
    #expect(!failure.detail.contains(Self.login.password))
  }

  @Test("A wrong password brings the server's refusal")
  func wrongPassword() throws {
    let receiver = try MailReceiver(.implicit, login: Self.login)
    let transfer = transfer(to: receiver, .implicit, login: ("tocsin", "wrong"))
    let reply = try carry(.mail(transfer), trusting: receiver.authority)
    #expect(reply.mail?.code == 535)
    #expect(reply.mail?.text.isEmpty == false)
  }

  @Test("A login that the server asks for and nobody gave brings its refusal")
  func noLogin() throws {
    let receiver = try MailReceiver(.startTLS, login: Self.login)
    let reply = try carry(.mail(transfer(to: receiver, .startTLS)), trusting: receiver.authority)
    #expect(reply.mail?.code == 530)
  }

  @Test(
    "A refusal comes back with its code and text", arguments: [MailReceiver.Stage.sender, .message],
    ["451 try again later", "554 we do not want it", "421 going down"])
  func refused(stage: MailReceiver.Stage, reply: String) throws {
    let receiver = try MailReceiver(.none)
    try receiver.refuse(at: stage, with: reply)
    let code = try #require(Int(reply.prefix(3)))
    #expect(
      try carry(.mail(transfer(to: receiver, .none))) == .mail(MailReply(code: code, text: String(reply.dropFirst(4)))))
  }

  @Test("Recipients that are refused are told, and the others get the mail")
  func someRefused() throws {
    let receiver = try MailReceiver(.none)
    try receiver.refuse(at: .recipient, address: "gone@example.com", with: "550 no such user")
    try receiver.refuse(at: .recipient, address: "full@example.com", with: "452 mailbox full")
    let recipients = ["gone@example.com", "oncall@example.com", "full@example.com"]
    let refusals = [
      MailReply.Refusal(recipient: "gone@example.com", code: 550, text: "no such user"),
      MailReply.Refusal(recipient: "full@example.com", code: 452, text: "mailbox full"),
    ]
    let reply = try carry(.mail(transfer(to: receiver, .none, recipients: recipients)))
    #expect(reply == .mail(MailReply(code: 250, text: "taken", refusals: refusals)))
    #expect(try receiver.messages().map(\.recipients) == [["oncall@example.com"]])
  }

  @Test("A mail that every recipient is refused for is not sent")
  func allRefused() throws {
    let receiver = try MailReceiver(.none)
    try receiver.refuse(at: .recipient, with: "550 no such user")
    let recipients = ["a@example.com", "b@example.com"]
    let reply = try #require(carry(.mail(transfer(to: receiver, .none, recipients: recipients))).mail)
    #expect(reply.code == 550)
    #expect(reply.refusals.map(\.recipient) == recipients)
    #expect(try receiver.messages().isEmpty)
  }

  @Test("A server that keeps its reply back is not waited for longer than the transfer may take")
  func timeout() throws {
    let receiver = try MailReceiver(.none)
    try receiver.delay(at: .message, seconds: 600)
    #expect(try carry(.mail(.plain(to: receiver, timeoutSeconds: 1))).failure?.stage == .timeout)
  }

  @Test("A server's goodbye is not waited for, neither after a mail nor after a refusal")
  func goodbye() throws {
    let receiver = try MailReceiver(.implicit, login: Self.login)
    try receiver.delay(at: .goodbye, seconds: 600)
    for (password, code) in [(Self.login.password, 250), ("wrong", 535)] {
      let transfer = transfer(to: receiver, .implicit, login: ("tocsin", password))
      let start = time(nil)
      #expect(try carry(.mail(transfer), trusting: receiver.authority).mail?.code == code)
      #expect(time(nil) - start < 30)
    }
  }

  @Test("A server that never greets is not waited for either")
  func silent() throws {
    let receiver = try MailReceiver(.implicit)
    #expect(try carry(.mail(.plain(to: receiver, timeoutSeconds: 1))).failure?.stage == .timeout)
  }

  @Test("A server of another protocol is none")
  func otherProtocol() throws {
    let receiver = try HTTPReceiver()
    let port = try #require(receiver.plainURL.split(separator: ":").last.flatMap { Int($0) })
    let transfer = MailTransfer(
      host: "127.0.0.1", port: port, security: .none, sender: "a@example.com", recipients: ["b@example.com"],
      message: [], timeoutSeconds: 2)
    #expect(try carry(.mail(transfer)).failure?.stage == .timeout)
  }
}
