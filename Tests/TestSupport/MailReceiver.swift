import JSON

/// A real SMTP server on 127.0.0.1 that records every mail and refuses what a test tells it to.
package final class MailReceiver {
  /// How connections are secured.
  package enum Security: String {
    case none
    case startTLS = "starttls"
    case implicit
  }

  /// Where a server can refuse a mail, keep its client waiting, or hang up.
  package enum Stage: String {
    /// Before anything else.
    case greeting
    /// At `EHLO` and `HELO`.
    case hello
    /// At `STARTTLS`.
    case secure = "starttls"
    /// At `AUTH`.
    case login
    /// At the password, where `{plain}` and `{login}` in the reply are what a client sends by these mechanisms.
    case password
    /// At `MAIL FROM`.
    case sender
    /// At `RCPT TO`.
    case recipient
    /// At `DATA`.
    case data
    /// At the end of the data.
    case message
    /// At `QUIT`.
    case goodbye
  }

  /// A mail that the server took.
  package struct Message {
    /// The envelope's sender.
    package let sender: String
    /// The envelope's recipients.
    package let recipients: [String]
    /// Who was logged in; nil if nobody was.
    package let user: String?
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// The message as it came, dots no longer stuffed.
    package let content: [UInt8]

    /// The message as text.
    package var text: String { String(decoding: content, as: UTF8.self) }
  }

  /// Who vouches for the server.
  package let authority: TestAuthority
  /// The name that the server's certificate has.
  package let host = "localhost"
  /// The port that it listens on.
  package let port: Int
  private let process: ReceiverProcess

  /// Starts the server, known by the authority's certificate for it, or by one with a flaw. With a login it takes mail only
  /// from clients that have logged in so.
  package init(
    _ security: Security = .startTLS, login: (user: String, password: String)? = nil, authority: TestAuthority? = nil,
    flaw: TestAuthority.Flaw? = nil
  ) throws {
    let authority = try authority ?? TestAuthority()
    let files = try flaw.map { try authority.serverFiles(with: $0) } ?? authority.serverFiles
    self.authority = authority
    let credentials = login.map { [$0.user, $0.password] } ?? []
    process = try ReceiverProcess(
      script: "mail_receiver.py", arguments: [files.certificate, files.key, security.rawValue] + credentials)
    port = try process.ports()["smtp"]?.integer ?? 0
  }

  /// The mails so far, in the order in which they were taken.
  package func messages() throws -> [Message] {
    try process.records(of: "message").compactMap { $0.object.map(Message.init) }
  }

  /// Waits until there have been so many mails.
  package func waitForMessages(_ count: Int, within seconds: Int = 60) throws -> [Message] {
    try process.wait(within: seconds) {
      let messages = try self.messages()
      return messages.count >= count ? messages : nil
    }
  }

  /// Has everything refused at a stage, or what concerns one address, such as with `"550 no such user"`, or with nil
  /// taken again.
  package func refuse(at stage: Stage, address: String? = nil, with reply: String?) throws {
    try process.tell([
      "stage": .string(stage.rawValue), "address": .string(orNull: address), "reply": .string(orNull: reply),
    ])
  }

  /// Has the server close the connection at a stage, without a reply.
  package func hangUp(at stage: Stage) throws {
    try process.tell(["stage": .string(stage.rawValue), "address": .null, "reply": .null, "hangsUp": true])
  }

  /// Has the server wait a number of seconds before it replies at a stage.
  package func delay(at stage: Stage, seconds: Int) throws {
    try process.tell([
      "stage": .string(stage.rawValue), "address": .null, "reply": .null, "delay": .number(JSONNumber(seconds)),
    ])
  }
}

extension MailReceiver.Message {
  fileprivate init(_ record: JSONObject) {
    sender = record["sender"]?.string ?? ""
    recipients = record["recipients"]?.elements.compactMap(\.string) ?? []
    user = record["user"]?.string
    isSecure = record["isSecure"] == true
    content = record["content"]?.latin1 ?? []
  }
}
