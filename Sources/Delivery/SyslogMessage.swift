/// A message to a syslog server, RFC 5424, and its frame in a stream.
///
/// No control character and no line break is in it, whatever its parts are made of: for those the section 8.2 of the RFC warns
/// receivers, many of which write a line for each message.
package struct SyslogMessage: Sendable {
  /// How much a message matters, by its number (section 6.2.1, table 2).
  package enum Severity: Int, Sendable {
    /// Warning conditions.
    case warning = 4
    /// Normal but significant conditions.
    case notice = 5
    /// Informational messages.
    case informational = 6
  }

  /// "Log audit" (section 6.2.1, table 1): receivers sort by facility, and put 4 and 10, "security/authorization", with what is said
  /// of logins on the machine.
  static let facility = 13

  private let severity: Severity
  private let timestamp: String
  private let hostname: String
  private let processID: Int
  private let messageID: String
  private let data: SyslogData
  private let text: String

  /// A message of this service.
  ///
  /// - Parameters:
  ///   - severity: How much it matters.
  ///   - timestamp: RFC 3339 with no more than six digits of a second's fraction (section 6.2.3).
  ///   - hostname: The machine that it comes from.
  ///   - processID: The process that it comes from.
  ///   - messageID: What kind of message it is.
  ///   - data: Its structured data.
  ///   - text: The message itself.
  package init(
    _ severity: Severity, timestamp: String, hostname: String, processID: Int, messageID: String, data: SyslogData,
    text: String
  ) {
    self.severity = severity
    self.timestamp = timestamp
    self.hostname = hostname
    self.processID = processID
    self.messageID = messageID
    self.data = data
    self.text = text
  }

  /// The message, in UTF-8. The text begins with a byte order mark, by which it is known to be UTF-8 (section 6.4).
  package var bytes: [UInt8] {
    let header = [
      "<\(Self.facility * 8 + severity.rawValue)>1", timestamp, Self.field(hostname, limit: 255), "tocsin",
      String(processID), Self.field(messageID, limit: 32),
    ]
    let parts = header + [data.text, "\u{FEFF}" + text.withoutControls]
    return Array(parts.joined(separator: " ").utf8)
  }

  /// The message as it goes over a stream: behind its length, "octet counting" (RFC 6587, section 3.4.1; RFC 5425, section 4.3).
  package var frame: [UInt8] {
    let bytes = bytes
    return Array("\(bytes.count) ".utf8) + bytes
  }

  /// A field of the header: printable ASCII, or `-` for none (section 6).
  private static func field(_ text: String, limit: Int) -> String {
    let printable = text.unicodeScalars.prefix(limit).map { ("!"..."~").contains($0) ? $0 : "?" }
    return printable.isEmpty ? "-" : String(String.UnicodeScalarView(printable))
  }
}

/// One element of a syslog message's structured data, RFC 5424, section 6.3.
package struct SyslogData: Sendable {
  /// The element as it is sent.
  let text: String

  /// An element of a name that is nobody else's for its enterprise number (section 7.2.2), with the parameters that are not nil.
  /// All names are ours: up to 32 characters of printable ASCII without `=`, `]`, `"` and `@` (section 6.3.2).
  package init(_ name: StaticString, enterprise: Int, _ parameters: KeyValuePairs<StaticString, String?>) {
    var text = "[\(name)@\(enterprise)"
    for (name, value) in parameters {
      if let value { text += " \(name)=\"\(Self.escaped(value.withoutControls))\"" }
    }
    self.text = text + "]"
  }

  /// The value of a parameter: `"`, `\` and `]` each behind a `\` (section 6.3.3).
  private static func escaped(_ value: String) -> String {
    value.unicodeScalars.reduce(into: "") { text, scalar in
      if "\"\\]".unicodeScalars.contains(scalar) { text += "\\" }
      text.unicodeScalars.append(scalar)
    }
  }
}

extension String {
  /// The text with U+FFFD in the place of each control character and line break.
  fileprivate var withoutControls: String {
    String(String.UnicodeScalarView(unicodeScalars.map { $0.isLineBreakOrControl ? "\u{FFFD}" : $0 }))
  }
}
