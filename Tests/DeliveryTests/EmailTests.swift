import JSON
import Testing

@testable import Delivery

@Suite("E-mail") struct EmailTests {
  static let config: JSONObject = [
    "smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "tocsin@example.com",
    "to_emails": ["one@example.com", "two@example.com"],
  ]

  private func mail(
    for notice: AlertNotice = .example(), with change: JSONObject = [:], recipients: [String]? = nil
  ) throws -> MailTransfer {
    let provider = try Provider(.email, .object(Self.config.overlaid(with: change)))
    let attempt = Attempt(deliveryID: Attempt.example.deliveryID, time: 784_111_777, recipients: recipients)
    return try #require(provider.mail(for: notice, attempt: attempt))
  }

  private func lines(_ mail: MailTransfer) -> [String] {
    String(decoding: mail.message, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
      .map(String.init)
  }

  /// The content of a part, decoded.
  private func part(_ type: String, of mail: MailTransfer) throws -> String {
    let lines = lines(mail)
    let start = try #require(lines.firstIndex(of: "Content-Type: \(type); charset=utf-8")) + 3
    let encoded = lines[start...].prefix { !$0.hasPrefix("--") }.joined()
    return String(decoding: try #require(Base64.decoded(encoded)), as: UTF8.self)
  }

  @Test("The message has the headers that a mail must have")
  func headers() throws {
    let lines = lines(try mail())
    #expect(
      lines.prefix { !$0.isEmpty } == [
        "Date: Sun, 06 Nov 1994 08:49:37 +0000", "Message-ID: <\(Attempt.example.deliveryID)@example.com>",
        "From: <tocsin@example.com>", "To: <one@example.com>,", " <two@example.com>",
        "Subject: Alert: high - 3 failures", "Auto-Submitted: auto-generated", "X-Tocsin-Alert-ID: alert-1",
        "MIME-Version: 1.0", "Content-Type: multipart/alternative; boundary=\"=_\(Attempt.example.deliveryID)\"",
      ])
    #expect(lines.suffix(2) == ["--=_\(Attempt.example.deliveryID)--", ""])
  }

  @Test("Text and HTML tell the same, and nothing of an alert is markup")
  func parts() throws {
    let notice = AlertNotice.example(title: "<b>&\"", event: #"{"x":"<script>"}"#)
    let mail = try mail(for: notice)
    let text = try part("text/plain", of: mail)
    #expect(text.hasPrefix("<b>&\"\r\n\r\n3 failures\r\n\r\nroot failed to log in\r\n\r\nSeverity: high\r\n"))
    #expect(text.contains(#"{"x":"<script>"}"#))
    let html = try part("text/html", of: mail)
    #expect(html.contains("<h2>&lt;b&gt;&amp;&quot;</h2>"))
    #expect(html.contains("{&quot;x&quot;:&quot;&lt;script&gt;&quot;}"))
    #expect(!html.contains("<script>"))
  }

  @Test(
    "No text of an alert can add a header",
    arguments: ["x\r\nBcc: evil@example.com", "x\nBcc: evil@example.com", "x\rBcc: e", "x\u{2028}Bcc: e", "x\u{85}y"])
  func headerInjection(text: String) throws {
    let lines = lines(try mail(for: .example(summary: text), with: ["subject_template": .string(text + " {summary}")]))
    #expect(!lines.contains { $0.hasPrefix("Bcc") })
    #expect(lines.prefix { !$0.isEmpty }.filter { $0.hasPrefix("Subject: ") }.count == 1)
    #expect(lines.allSatisfy { !$0.utf8.contains(0x0D) && !$0.utf8.contains(0x0A) })
  }

  @Test(
    "A subject beyond ASCII comes back whole from its encoded words",
    arguments: ["Größe – 警報 😀", String(repeating: "é😀", count: 60), "=?utf-8?B?WA==?="])
  func encodedSubject(summary: String) throws {
    let lines = lines(try mail(for: .example(summary: summary), with: ["subject_template": "{summary}"]))
    let start = try #require(lines.firstIndex { $0.hasPrefix("Subject: ") })
    let subject =
      [String(lines[start].dropFirst(9))]
      + lines[(start + 1)...].prefix { $0.hasPrefix(" ") }.map { String($0.dropFirst()) }
    let decoded = try subject.map { word in
      #expect(word.utf8.count <= 75)
      #expect(word.hasPrefix("=?utf-8?B?") && word.hasSuffix("?="))
      let bytes = try #require(Base64.decoded(String(word.dropFirst(10).dropLast(2))))
      return try #require(String(validating: bytes, as: UTF8.self))
    }
    #expect(decoded.joined() == summary)
  }

  @Test("The subject is cut, and no line is longer than a mail allows")
  func lineLengths() throws {
    let long = String(repeating: "word ", count: 2000)
    let mail = try mail(for: .example(title: long, message: long, summary: long, event: #"{"a":"\#(long)"}"#))
    #expect(lines(mail).allSatisfy { $0.utf8.count <= 998 })
    #expect(mail.message.allSatisfy { $0 < 0x80 })
  }

  @Test("Places of a subject are the alert's and the event's; those without a value stay")
  func subjectTemplate() throws {
    let mail = try mail(with: ["subject_template": "{{{severity}}} {title} {user} {policy_name} {nothing}"])
    #expect(lines(mail).contains("Subject: {high} Login failed root Logins {nothing}"))
  }

  @Test(
    "TLS begins as the port tells, unless the config does",
    arguments: [
      (["smtp_port": 587], .startTLS), (["smtp_port": 25], .startTLS), (["smtp_port": 465], .implicit),
      (["smtp_port": 465, "tls_mode": "starttls"], .startTLS),
      (["smtp_port": 2465, "tls_mode": "implicit"], .implicit),
      (["smtp_port": 25, "use_tls": false], .none),
    ] as [(JSONObject, MailSecurity)])
  func security(change: JSONObject, expected: MailSecurity) throws {
    #expect(try mail(with: change).security == expected)
  }

  @Test("A login is used if one is configured; empty is none")
  func login() throws {
    #expect(try mail().login == nil)
    #expect(try mail(with: ["smtp_username": "", "smtp_password": "", "use_tls": false]).login == nil)
    let mail = try mail(with: ["smtp_username": "u", "smtp_password": "p"])
    #expect(mail.login == MailTransfer.Login(user: "u", password: "p"))
  }

  @Test("A later attempt goes to those who are left, as the same message to all")
  func remainingRecipients() throws {
    let first = try mail()
    let second = try mail(recipients: ["two@example.com"])
    #expect(first.recipients == ["one@example.com", "two@example.com"])
    #expect(second.recipients == ["two@example.com"])
    #expect(first.message == second.message)
  }
}
