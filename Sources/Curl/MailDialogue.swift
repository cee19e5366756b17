import Delivery

/// The client's side of a mail transaction (RFC 5321, sections 3.3 and 4.1.1), from the moment the server is greeted
/// and, if need be, logged in to.
struct MailDialogue {
  private let transfer: MailTransfer
  private var step = Step.sender
  private var refusals: [MailReply.Refusal] = []

  /// The command that is waiting for its reply.
  private enum Step {
    case sender
    case recipient(Int)
    case data
    case message
  }

  /// What follows a reply.
  enum Turn: Equatable {
    case send([UInt8])
    case end(Reply)
  }

  init(_ transfer: MailTransfer) { self.transfer = transfer }

  /// Whether every address can stand in a command: printable ASCII, and nothing that would end it early.
  static func canSpeak(of transfer: MailTransfer) -> Bool {
    !transfer.recipients.isEmpty
      && ([transfer.sender] + transfer.recipients).allSatisfy { address in
        address.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "<") && $0 != UInt8(ascii: ">") }
      }
  }

  /// The first command.
  var opening: [UInt8] { Self.line("MAIL FROM:<\(transfer.sender)>") }

  /// The last command. Nothing depends on its reply.
  static let closing = line("QUIT")

  /// Takes the reply to what was sent last.
  mutating func take(_ reply: MailReplyText) -> Turn {
    // 421 may be the reply to anything: the server is going away (section 3.8).
    if reply.code == 421 { return end(reply) }
    switch step {
    case .sender:
      return reply.isYes ? ask(for: 0) : end(reply)
    case .recipient(let index):
      if !reply.isYes {
        guard reply.isNo else { return end(reply) }
        let refused = transfer.recipients[index]
        refusals.append(MailReply.Refusal(recipient: refused, code: reply.code, text: reply.text))
      }
      return afterRecipient(index, reply)
    case .data:
      guard reply.code == 354 else { return reply.isYes ? nonsense(reply) : end(reply) }
      step = .message
      return .send(Self.stuffed(transfer.message))
    case .message:
      return end(reply)
    }
  }

  private mutating func ask(for index: Int) -> Turn {
    step = .recipient(index)
    return .send(Self.line("RCPT TO:<\(transfer.recipients[index])>"))
  }

  private mutating func afterRecipient(_ index: Int, _ reply: MailReplyText) -> Turn {
    if index + 1 < transfer.recipients.count { return ask(for: index + 1) }
    if refusals.count == transfer.recipients.count { return end(reply) }
    step = .data
    return .send(Self.line("DATA"))
  }

  private func end(_ reply: MailReplyText) -> Turn {
    guard reply.isYes || reply.isNo else { return nonsense(reply) }
    return .end(.mail(MailReply(code: reply.code, text: reply.text, refusals: refusals)))
  }

  private func nonsense(_ reply: MailReplyText) -> Turn {
    .end(.failure(TransportFailure(.talking, detail: "the reply \(reply.code) makes no sense here")))
  }

  private static func line(_ command: String) -> [UInt8] { Array((command + "\r\n").utf8) }

  /// The message as it goes over the wire: lines that begin with a dot get one more (section 4.5.2), and a line that is
  /// a dot ends it. A line begins after any line feed, because some servers take a bare one for an end of line.
  private static func stuffed(_ message: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(message.count + 16)
    var beginsLine = true
    for byte in message {
      if beginsLine && byte == UInt8(ascii: ".") { bytes.append(byte) }
      bytes.append(byte)
      beginsLine = byte == UInt8(ascii: "\n")
    }
    let end = message.isEmpty || message.suffix(2).elementsEqual("\r\n".utf8) ? ".\r\n" : "\r\n.\r\n"
    return bytes + Array(end.utf8)
  }
}

/// A whole reply of an SMTP server, its lines joined by spaces.
struct MailReplyText: Equatable {
  let code: Int
  let text: String

  /// 2yz: done.
  var isYes: Bool { (200..<300).contains(code) }
  /// 4yz: not now; 5yz: never.
  var isNo: Bool { (400..<600).contains(code) }
}

/// Puts together the replies that come in (RFC 5321, section 4.2), bounded.
struct MailReplyReader {
  /// What came is no reply.
  struct Garbled: Error {}

  /// A reply of more bytes is none.
  private static let limit = 1 << 14

  private var line: [UInt8] = []
  private var texts: [String] = []
  private var count = 0

  /// Takes what came; gives the replies that ended in it.
  mutating func take(_ bytes: some Sequence<UInt8>) throws(Garbled) -> [MailReplyText] {
    var replies: [MailReplyText] = []
    for byte in bytes {
      count += 1
      guard count <= Self.limit else { throw Garbled() }
      if byte != UInt8(ascii: "\n") {
        line.append(byte)
      } else if let reply = try endLine() {
        replies.append(reply)
      }
    }
    return replies
  }

  private mutating func endLine() throws(Garbled) -> MailReplyText? {
    defer { line = [] }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    let digits = line.prefix(3)
    guard digits.count == 3, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw Garbled() }
    let mark = line.count > 3 ? line[3] : UInt8(ascii: " ")
    texts.append(String(decoding: line.dropFirst(4), as: UTF8.self))
    if mark == UInt8(ascii: "-") { return nil }
    guard mark == UInt8(ascii: " ") else { throw Garbled() }
    defer {
      texts = []
      count = 0
    }
    return MailReplyText(code: digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }, text: texts.joined(separator: " "))
  }
}
