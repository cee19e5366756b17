import Delivery
import Glibc
import Host
import Store

/// What a syslog server is told of an entry of the audit log.
///
/// The structured data has what people search by. The text is the entry as `tocsin audit list` prints it, which can be checked by its
/// hash.
struct AuditMessage {
  /// The most bytes of a message. Receivers should take 8,192 over TLS (RFC 5425, section 4.3.1); rsyslog cuts after 8,096 unless it is
  /// told otherwise.
  static let sizeLimit = 8000

  private let enterprise: Int
  private let hostname = Machine.name
  private let processID = Int(getpid())

  /// Messages whose structured data is named for an enterprise number.
  init(enterprise: Int) { self.enterprise = enterprise }

  /// The frame of an entry. What is too long is told with its texts cut, to as little as it takes.
  func frame(of entry: AuditEntry) -> [UInt8] {
    let whole = message(of: entry, isCut: false)
    if whole.bytes.count <= Self.sizeLimit { return whole.frame }
    var limit = 4096
    while true {
      let cut = message(of: entry.cut(to: limit), isCut: true)
      if cut.bytes.count <= Self.sizeLimit { return cut.frame }
      limit /= 2
    }
  }

  private func message(of entry: AuditEntry, isCut: Bool) -> SyslogMessage {
    let data = SyslogData(
      "tocsin", enterprise: enterprise,
      [
        "tenant": entry.tenant, "seq": String(entry.seq), "hash": entry.hash, "actor_type": entry.actorType,
        "actor": entry.actor, "address": entry.address, "kind": entry.kind, "id": entry.id,
        "cut": isCut ? "true" : nil,
      ])
    return SyslogMessage(
      severity(of: entry.action), timestamp: entry.at, hostname: hostname, processID: processID,
      messageID: entry.action, data: data, text: Self.text(of: entry))
  }

  /// What takes something away, or refuses it, is what people look for.
  private func severity(of action: String) -> SyslogMessage.Severity {
    switch action {
    case "refuse": .warning
    case "delete", "revoke", "rotate", "archive": .notice
    default: .informational
    }
  }

  /// The line of an entry. JSON allows some control characters and line separators in its strings, which become escapes; those between
  /// its tokens become blanks.
  private static func text(of entry: AuditEntry) -> String {
    String(decoding: entry.line, as: UTF8.self).unicodeScalars.reduce(into: "") { text, scalar in
      guard scalar.isLineBreakOrControl else { return text.unicodeScalars.append(scalar) }
      let digits = String(scalar.value, radix: 16)
      text += scalar < " " ? " " : "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    }
  }
}
