import ArgumentParser
import Delivery
import Hooks
import Host
import StorageWatch

/// The hooks that are told when the storage is out.
struct HookCommands: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "hooks", abstract: "Try the hooks that are told when the storage is out.",
    subcommands: [TestHooks.self])
}

/// Sends each hook a marked event.
struct TestHooks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "test",
    abstract: "Send a marked event to each hook and show what it answers.",
    discussion: """
      All hooks get a StorageUnreachable whose last_error begins with TEST. PagerDuty opens an incident for it, of the \
      severity info, which somebody has to resolve. Fails if a hook does not take it.
      """)

  @Option(help: "The file with the hooks; by default that of ALERTING_STORAGE_CONFIG, or /etc/tocsin-storage.json.")
  var config: String?

  func run() throws {
    let settings = try SettingsFile(path: config).read()
    guard !settings.hooks.isEmpty else { throw Failure("there are no hooks in the file") }
    let results = try send(to: settings)
    printTable(["HOOK", "TAKEN", "AFTER", "ANSWER"], results.map(\.row))
    guard results.allSatisfy(\.isTaken) else { throw ExitCode.failure }
  }

  private struct Result {
    let row: [String]
    let isTaken: Bool
  }

  private func send(to settings: StorageSettings) throws -> [Result] {
    let message = StorageMessage.test(
      id: Identifier.make("test-"), at: Clock.now, serviceName: settings.rules.serviceName)
    let runner = try ErrandRunner<Int>()
    let start = Clock.monotonic
    for (index, hook) in settings.hooks.enumerated() {
      let attempt = Attempt(deliveryID: message.id, time: Clock.now)
      runner.begin(hook.errand(for: message, attempt: attempt), tag: index)
    }
    var results: [Int: Result] = [:]
    while runner.count > 0 {
      for (index, reply) in try runner.wait(seconds: 1) {
        results[index] = Self.result(settings.hooks[index], reply, seconds: Clock.monotonic - start)
      }
    }
    return settings.hooks.indices.compactMap { results[$0] }
  }

  private static func result(_ hook: any StorageAlertHook, _ reply: ErrandReply, seconds: Double) -> Result {
    let verdict = hook.verdict(on: reply, at: Clock.now)
    let answer = [verdict.reason, hook.answer(in: reply)].compactMap { $0 }.first { !$0.isEmpty } ?? "-"
    let line = answer.split { $0.isNewline }.joined(separator: " ")
    return Result(
      row: [hook.name, verdict.isSent ? "yes" : "no", "\(Int(seconds * 1000)) ms", line], isTaken: verdict.isSent)
  }
}

extension Verdict {
  /// Whether everybody has it.
  fileprivate var isSent: Bool { if case .sent = self { true } else { false } }

  /// Why not, or what else is worth knowing.
  fileprivate var reason: String? {
    switch self {
    case .sent(let remark): remark
    case .sentToSome(_, let reason), .retry(_, let reason), .rejected(let reason), .gone(let reason): reason
    }
  }
}
