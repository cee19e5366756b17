import Host
import JSON

/// Something that deserves a look though the storage is usable.
package struct StorageWarning: Sendable, Equatable {
  /// What it is about: the same as long as it lasts.
  package let subject: String
  /// How bad it is now.
  package let detail: String

  /// A warning.
  package init(_ subject: String, _ detail: String) {
    self.subject = subject
    self.detail = detail
  }
}

/// What the process that probed has said: one line about the storage, then one about what it saw there.
///
/// A probe is a process of its own: whatever it waits for, a name server, a dead server, a disk, ends with it.
package struct ProbeReport: Sendable, Equatable {
  /// Whether the storage is usable.
  package let result: ProbeResult
  /// What deserves a look.
  package let warnings: [StorageWarning]

  /// The line about the storage.
  package static func line(_ result: ProbeResult) -> [UInt8] {
    switch result {
    case .usable: line { $0.add("usable", true) }
    case .failed(let reason): line { $0.add("failed", reason) }
    }
  }

  /// The line about what was seen.
  package static func line(_ warnings: [StorageWarning]) -> [UInt8] { line { $0.add("warnings", warnings) } }

  private static func line(_ build: (inout JSONWriter.Members) -> Void) -> [UInt8] {
    var writer = JSONWriter()
    writer.object(build)
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  /// Reads what the process has said. One that said nothing about the storage failed, for the reason that it ended.
  package init(_ reply: CommandReply, timeoutSeconds: Int) {
    var result: ProbeResult?
    var warnings: [StorageWarning]?
    for line in reply.output.split(separator: UInt8(ascii: "\n")) {
      guard let line = Self.object(line) else { continue }
      if line["usable"] == true { result = .usable }
      if let reason = line["failed"]?.string { result = .failed(reason) }
      if case .array(let elements)? = line["warnings"] { warnings = elements.compactMap(StorageWarning.init(json:)) }
    }
    self.result = result ?? .failed(Self.reason(reply, timeoutSeconds))
    let isBlind = result == .usable && warnings == nil
    self.warnings = isBlind ? [StorageWarning("a look at the storage", "failed")] : warnings ?? []
  }

  /// What else the process wrote, such as an entry of the log, is no object.
  private static func object(_ line: ArraySlice<UInt8>) -> JSONObject? {
    do {
      return try JSONValue(parsing: Array(line)).object
    } catch {
      Log.info("the probe said", ["line": String(decoding: line, as: UTF8.self)])
      return nil
    }
  }

  private static func reason(_ reply: CommandReply, _ timeoutSeconds: Int) -> String {
    switch reply.ending {
    case .timeout: "no answer within \(timeoutSeconds) s"
    case .exit(let status): "the probe ended with status \(status)"
    case .signal(let signal): "the probe was ended by signal \(signal)"
    case .refused(let reason): reason
    }
  }
}

extension StorageWarning: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("subject", subject)
      members.add("detail", detail)
    }
  }

  fileprivate init?(json: JSONValue) {
    guard let subject = json.object?["subject"]?.string, let detail = json.object?["detail"]?.string else { return nil }
    self.init(subject, detail)
  }
}
