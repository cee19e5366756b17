import Delivery
import Testing

@testable import Curl

@Suite("The words of SMTP") struct MailDialogueTests {
  private static let transfer = MailTransfer(
    host: "mail.example.com", port: 25, security: .none, sender: "a@example.com",
    recipients: ["b@example.com", "c@example.com"], message: Array("x\r\n".utf8))

  /// What comes of these replies, and what was said before.
  private func outcome(of codes: Int...) -> (commands: [String], reply: Reply?) {
    var dialogue = MailDialogue(Self.transfer)
    var commands = [String(decoding: dialogue.opening, as: UTF8.self)]
    for code in codes {
      switch dialogue.take(MailReplyText(code: code, text: "text")) {
      case .send(let bytes): commands.append(String(decoding: bytes, as: UTF8.self))
      case .end(let reply): return (commands, reply)
      }
    }
    return (commands, nil)
  }

  @Test("A mail is sent step by step")
  func wholeMail() {
    let outcome = outcome(of: 250, 250, 251, 354, 250)
    #expect(
      outcome.commands == [
        "MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.com>\r\n", "RCPT TO:<c@example.com>\r\n", "DATA\r\n",
        "x\r\n.\r\n",
      ])
    #expect(outcome.reply == .mail(MailReply(code: 250, text: "text")))
  }

  @Test("A reply that makes no sense is no answer: above all, 250 to DATA is no yes to the mail")
  func nonsense() {
    for reply in [
      outcome(of: 354), outcome(of: 250, 354), outcome(of: 250, 250, 250, 250), outcome(of: 250, 250, 250, 334),
      outcome(of: 250, 250, 250, 354, 354), outcome(of: 250, 150), outcome(of: 999),
    ] {
      #expect(reply.reply?.failure?.stage == .talking)
    }
  }

  @Test("421 ends the talk wherever it comes")
  func goingAway() {
    for reply in [outcome(of: 421), outcome(of: 250, 250, 421), outcome(of: 250, 550, 250, 421)] {
      #expect(reply.reply?.mail?.code == 421)
    }
  }

  @Test("A reply of several lines is one, however it is cut")
  func replies() throws {
    var reader = MailReplyReader()
    #expect(try reader.take("250-one\r\n25".utf8).isEmpty)
    let replies = try reader.take("0 two\r\n354\r\n4".utf8)
    #expect(replies == [MailReplyText(code: 250, text: "one two"), MailReplyText(code: 354, text: "")])
  }

  @Test("What is no reply is refused", arguments: ["\r\n", "25\r\n", "2x0 \r\n", "250=ok\r\n", "HTTP/1.1 400\r\n"])
  func garbled(text: String) {
    #expect(throws: MailReplyReader.Garbled.self) {
      var reader = MailReplyReader()
      _ = try reader.take(text.utf8)
    }
  }

  @Test("A reply without end is refused")
  func endless() {
    #expect(throws: MailReplyReader.Garbled.self) {
      var reader = MailReplyReader()
      for _ in 0..<1000 { _ = try reader.take("250-more and more of it\r\n".utf8) }
    }
  }
}
