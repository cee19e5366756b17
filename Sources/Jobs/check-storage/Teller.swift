import Delivery
import Hooks
import Host
import StorageWatch

/// Tells the hooks what they have yet to be told, each by itself: one message of a hook at a time, and every hook at once.
final class Teller {
  /// How one hook is doing.
  private struct Standing {
    var isUnderWay = false
    var failures = 0
    /// When to try again, by the monotonic clock.
    var retryAt = 0.0
    /// The mail addresses that the last attempt could not reach, of the message that was attempted.
    var rest: (messageID: String, recipients: [String])?
  }

  private static let shortestWait = 5.0
  private static let longestWait = 60.0
  /// The longest that a hook's own wish to be left alone is heeded.
  private static let longestPause = 300.0

  private let hooks: [any StorageAlertHook]
  private let firstWait: Double
  private var standings: [String: Standing] = [:]

  /// Tells hooks; what failed is tried again after a probe's interval, then after longer and longer waits.
  init(_ hooks: [any StorageAlertHook], probeIntervalSeconds: Int) {
    self.hooks = hooks
    firstWait = min(Self.shortestWait, Double(probeIntervalSeconds))
  }

  /// The hooks' names.
  var names: [String] { hooks.map(\.name) }

  /// How many messages are on their way.
  var underWay: Int { standings.values.count(where: \.isUnderWay) }

  /// Begins what can be begun now: an errand for each hook that has something to be told and is free.
  func errands(for backlog: HookBacklog) -> [(hook: String, messageID: String, errand: Errand)] {
    hooks.compactMap { hook in
      var standing = standings[hook.name] ?? Standing()
      guard let message = backlog.next(for: hook.name), !standing.isUnderWay, Clock.monotonic >= standing.retryAt else {
        return nil
      }
      standing.isUnderWay = true
      standings[hook.name] = standing
      let rest = standing.rest?.messageID == message.id ? standing.rest?.recipients : nil
      let attempt = Attempt(deliveryID: message.id, time: Clock.now, recipients: rest)
      return (hook.name, message.id, hook.errand(for: message, attempt: attempt))
    }
  }

  /// Takes note of what came of one; tells whether the hook has the message.
  func hasTaken(_ messageID: String, _ name: String, _ reply: ErrandReply) -> Bool {
    guard let hook = hooks.first(where: { $0.name == name }) else { preconditionFailure("no hook has gone meanwhile") }
    switch hook.verdict(on: reply, at: Clock.now) {
    case .sent(let remark):
      standings[name] = Standing()
      Log.info("a hook was told", ["hook": name, "message": messageID, "remark": remark ?? ""])
      return true
    case .sentToSome(let remaining, let reason):
      standings[name, default: Standing()].rest = (messageID, remaining)
      fail(name, messageID, reason, after: nil)
    case .retry(let after, let reason): fail(name, messageID, reason, after: after)
    case .rejected(let reason), .gone(let reason): fail(name, messageID, reason, after: nil)
    }
    return false
  }

  /// What is refused for good is tried again all the same: somebody may mend the receiver, and the outage is told nowhere else.
  private func fail(_ hook: String, _ messageID: String, _ reason: String, after: Int?) {
    var standing = standings[hook] ?? Standing()
    standing.isUnderWay = false
    standing.failures += 1
    var wait = firstWait
    for _ in 1..<min(standing.failures, 10) { wait = min(wait * 2, Self.longestWait) }
    if let after { wait = min(max(wait, Double(after)), Self.longestPause) }
    standing.retryAt = Clock.monotonic + wait
    standings[hook] = standing
    Log.error("a hook was not told", ["hook": hook, "message": messageID, "reason": reason])
  }
}
