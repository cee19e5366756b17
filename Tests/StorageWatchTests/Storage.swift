import JSON

@testable import StorageWatch

/// A storage, its checker and one receiver per hook, without any clock: a test says what happens and when.
struct Storage {
  var state = CheckerState()
  var now = 1_800_000_000
  let rules: AlertRules
  let hooks: [String]
  /// What arrived at each hook, in order; a receiver pays no heed to an id that it has had before.
  private(set) var received: [String: [StorageMessage]] = [:]
  private var outages = 0

  init(threshold: Int = 30, cooldown: Int = 300, notifiesRecovery: Bool = true, hooks: [String] = ["hook"]) {
    rules = AlertRules(
      thresholdSeconds: threshold, cooldownSeconds: cooldown, notifiesRecovery: notifiesRecovery, serviceName: "tocsin")
    self.hooks = hooks
  }

  /// One probe; what it comes to is noted for the hooks.
  @discardableResult
  mutating func probe(_ result: ProbeResult, isRefusing: Bool = false) -> StorageMessage? {
    outages += 1
    let message = state.watch.note(
      result, at: now, rules: rules, newID: "outage-\(outages)", isRefusing: isRefusing
    ) { _ in 7 }
    if let message { state.backlog.add(message, for: hooks) }
    _ = state.backlog.clear(keeping: hooks, lasting: state.watch.outage?.id, at: now)
    return message
  }

  /// Probes that fail, one each five seconds, for so many seconds.
  mutating func fail(seconds: Int) -> [StorageMessage] {
    stride(from: 0, through: seconds, by: 5).compactMap { second in
      if second > 0 { now += 5 }
      return probe(.failed("no server"))
    }
  }

  /// Tells a hook what is next; it arrives in any case, and is noted as taken only if the sender lives to see it.
  mutating func tell(_ hook: String, isNoted: Bool = true) {
    guard let message = state.backlog.next(for: hook) else { return }
    if !received[hook, default: []].contains(where: { $0.id == message.id }) {
      received[hook, default: []].append(message)
    }
    if isNoted { state.backlog.take(message.id, from: hook) }
  }

  mutating func tellAll() { for hook in hooks { while state.backlog.next(for: hook) != nil { tell(hook) } } }

  /// The process ends, and the next one has what was on file.
  mutating func restart() throws { state = try CheckerState(bytes: state.json) }
}

extension StorageMessage {
  var isAlert: Bool { if case .unreachable = event { true } else { false } }
}
