import Delivery
import Host
import JSON

/// A program of the operator's that gets the event on standard input. It says by its exit status whether it has taken it.
struct CommandHook: StorageAlertHook {
  let name: String
  private let arguments: [String]
  private let timeoutSeconds: Int

  init(name: String, config: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(config)
    self.name = name
    reader.require("command")
    arguments = reader.strings("command", count: 1...100, length: 0...4096) ?? []
    if let program = arguments.first, !program.hasPrefix("/") {
      reader.fault("command", "must begin with the path of a program, such as \"/usr/local/bin/page\"")
    }
    timeoutSeconds = reader.integer("timeout_secs", in: 1...Transfer.longestSeconds) ?? 10
    try reader.finish()
  }

  /// What the service itself finds in its environment, such as the database's password, is none of the program's business.
  func errand(for message: StorageMessage, attempt: Attempt) -> Errand {
    let environment = [
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TOCSIN_EVENT_ID=\(attempt.deliveryID)",
    ]
    return .command(
      Command(
        program: arguments[0], arguments: arguments, environment: environment,
        input: message.event.json + [UInt8(ascii: "\n")], timeoutSeconds: timeoutSeconds))
  }

  func verdict(on reply: ErrandReply, at now: Int) -> Verdict {
    guard case .command(let command) = reply else { preconditionFailure("a command has the reply of one") }
    let said = answer(in: reply).map { ": \($0)" } ?? ""
    switch command.ending {
    case .exit(0): return .sent(remark: nil)
    case .exit(let status): return .retry(after: nil, reason: "ended with status \(status)\(said)")
    case .signal(let signal): return .retry(after: nil, reason: "was ended by signal \(signal)\(said)")
    case .timeout: return .retry(after: nil, reason: "was killed after \(timeoutSeconds) s\(said)")
    case .refused(let reason): return .retry(after: nil, reason: reason)
    }
  }

  /// The beginning of what it wrote, in one line.
  func answer(in reply: ErrandReply) -> String? {
    guard case .command(let command) = reply, !command.output.isEmpty else { return nil }
    let text = String(decoding: command.output, as: UTF8.self)
    return text.split { $0.isWhitespace || $0.isNewline }.joined(separator: " ").prefix(300).description
  }
}
