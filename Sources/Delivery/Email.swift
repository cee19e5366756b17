import JSON
import Matching

/// E-mail through the tenant's own SMTP server.
package struct Email: Sendable {
  static let secrets: [SecretMember] = [.value("smtp_password")]

  private static let defaultSubject = "Alert: {severity} - {summary}"

  private let host: String
  private let port: Int
  private let security: MailSecurity
  private let login: MailTransfer.Login?
  private let sender: String
  private let recipients: [String]
  private let subject: Template

  /// Reads a `config`. `tls_mode` says how TLS begins where the port does not tell: port 465 is TLS from the start (RFC 8314),
  /// any other STARTTLS. An empty user name or password is none.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    host = reader.host("smtp_host")
    reader.require("smtp_port")
    let port = reader.integer("smtp_port", in: 1...65_535) ?? 0
    let usesTLS = reader.bool("use_tls") ?? true
    let mode = reader.choice("tls_mode", of: TLSMode.self)
    security = usesTLS ? (mode ?? (port == 465 ? .implicit : .startTLS)).security : .none
    login = Self.login(&reader, isSecure: usesTLS)
    reader.require("from_email")
    sender = reader.nested("from_email", MailAddress.read) ?? ""
    reader.require("to_emails")
    recipients = reader.elements("to_emails", count: 1...50, MailAddress.read) ?? []
    subject = Template(reader.string("subject_template", length: 1...1000) ?? Self.defaultSubject)
    try reader.finish()
    self.port = port
  }

  /// The spellings of `tls_mode`.
  private enum TLSMode: String, CaseIterable {
    case startTLS = "starttls"
    case implicit

    var security: MailSecurity {
      switch self {
      case .startTLS: .startTLS
      case .implicit: .implicit
      }
    }
  }

  /// A password never crosses a connection in the clear, so a login needs TLS.
  private static func login(_ reader: inout ObjectReader, isSecure: Bool) -> MailTransfer.Login? {
    let user = reader.string("smtp_username", length: 0...255) ?? ""
    let password = reader.secret("smtp_password", length: 0...1024) ?? ""
    if user.isEmpty && password.isEmpty { return nil }
    if user.isEmpty { reader.fault("smtp_username", "is required with smtp_password") }
    if password.isEmpty { reader.fault("smtp_password", "is required with smtp_username") }
    if !isSecure { reader.fault("use_tls", "must be true where smtp_password is given: it would be sent in the clear") }
    return MailTransfer.Login(user: user, password: password)
  }

  /// The message about an alert, for those recipients who do not have it yet.
  func transfer(for notice: AlertNotice, attempt: Attempt) -> MailTransfer {
    MailTransfer(
      host: host, port: port, security: security, login: login, sender: sender,
      recipients: attempt.recipients ?? recipients, message: message(for: notice, attempt: attempt).bytes)
  }

  private func message(for notice: AlertNotice, attempt: Attempt) -> MailMessage {
    MailMessage(
      id: attempt.deliveryID, threadID: notice.occasion.firstDeliveryID,
      date: CivilTime(unixSeconds: attempt.time), sender: sender, recipients: recipients, subject: subject(for: notice),
      alertID: notice.alertID, text: AlertText(notice).plain, html: AlertText(notice).html)
  }

  /// The rendered subject in one line, as an answer to the first mail about the alert where this is not that.
  private func subject(for notice: AlertNotice) -> String {
    let names = notice.names
    let own = [
      "severity": notice.severity.rawValue, "summary": names.summary, "title": names.title, "message": names.message,
      "policy_name": notice.policyName, "alert_id": notice.alertID,
    ]
    let text = subject.rendered(event: notice.eventTree, alert: own, limit: 250).inOneLine
    guard notice.occasion.firstDeliveryID != nil, let remark = notice.occasion.remark else { return text }
    return "Re: \(text) (\(remark))"
  }
}

/// What is accepted as an e-mail address: the `Mailbox` of RFC 5321 without quoting, comments and address literals, in ASCII.
enum MailAddress {
  /// Reads an address, at a place in a document.
  static func read(_ json: JSONValue) throws(JSONFaults) -> String {
    guard case .string(let text) = json, isAddress(text) else {
      throw JSONFaults("must be an e-mail address alone, such as \"oncall@example.com\"")
    }
    return text
  }

  /// Whether the text is an address.
  static func isAddress(_ text: String) -> Bool {
    let parts = text.utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false)
    guard parts.count == 2, (1...64).contains(parts[0].count), text.utf8.count <= 254 else { return false }
    let isLocal = parts[0].allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-/=?^_`{|}~.".utf8.contains($0) }
    return isLocal && String(parts[1]).map { HostSyntax.isHost($0) && !$0.hasPrefix("[") } ?? false
  }
}

extension ObjectReader {
  /// A host name or address that must be there; an IPv6 address may stand without its brackets.
  fileprivate mutating func host(_ key: String) -> String {
    let host = requiredString(key, length: 1...255)
    let spelled = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
    if !host.isEmpty, !HostSyntax.isHost(spelled) { fault(key, "must be a host name or an IP address, without a port") }
    return spelled
  }
}
