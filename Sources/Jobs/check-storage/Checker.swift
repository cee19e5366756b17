import Delivery
import Hooks
import Host
import Spool
import StorageWatch

/// Probe, decide, write down, tell, over and over.
///
/// What is to be told is on file before it is told, and is taken off the file when it was: see ``HookBacklog``.
final class Checker {
  /// What is under way outside the process.
  enum Task {
    case probe
    case hook(name: String, messageID: String)
    case heartbeat
  }

  /// How long, at the end of the run, to wait for hooks that have not answered.
  private static let secondsToFinish = 30.0
  /// The longest to wait without looking whether the process is asked to end.
  private static let longestWait = 0.5

  private let settings: StorageSettings
  private let order: Probe.Order
  private let file: StateFile
  private let spool: SpoolFolder?
  private let runner: ErrandRunner<Task>
  private let teller: Teller
  private var state: CheckerState
  private var warnings = WarningLog()
  private var isProbing = false
  private var nextProbe = 0.0
  private var nextBeat = 0.0

  /// A checker that tells how many events the spool has taken, if there is one.
  init(settings: StorageSettings, state file: StateFile, stateDirectory: String, spool: SpoolFolder?) throws {
    self.settings = settings
    self.file = file
    self.spool = spool
    order = Probe.Order(
      limits: settings.limits, stateDirectory: stateDirectory, timeoutSeconds: settings.probeTimeoutSeconds)
    runner = try ErrandRunner()
    teller = Teller(settings.hooks, probeIntervalSeconds: settings.probeIntervalSeconds)
    state = try file.read()
    if settings.hooks.isEmpty { Log.warning("there are no hooks: nobody is told when the storage is out") }
  }

  /// Checks until a moment of the monotonic clock or until asked to end. Then nothing new is told, but what is under way gets its
  /// time, while which the storage is still looked at.
  func run(until end: Double, _ termination: Termination) throws {
    var deadline: Double?
    while true {
      let isEnding = termination.isRequested || Clock.monotonic >= end
      if isEnding {
        deadline = deadline ?? Clock.monotonic + Self.secondsToFinish
        if teller.underWay == 0 || Clock.monotonic >= deadline ?? 0 { return }
      }
      if !termination.isRequested { probeIfDue() }
      if !isEnding { tell() }
      let wait = min(Self.longestWait, max(0, nextProbe - Clock.monotonic))
      for (task, reply) in try runner.wait(seconds: isProbing ? Self.longestWait : wait) { note(task, reply) }
    }
  }

  private func probeIfDue() {
    guard !isProbing, Clock.monotonic >= nextProbe else { return }
    nextProbe = Clock.monotonic + Double(settings.probeIntervalSeconds)
    isProbing = true
    runner.begin(.command(order.command()), tag: .probe)
  }

  private func tell() {
    for (hook, messageID, errand) in teller.errands(for: state.backlog) {
      runner.begin(errand, tag: .hook(name: hook, messageID: messageID))
    }
  }

  private func note(_ task: Task, _ reply: ErrandReply) {
    switch (task, reply) {
    case (.probe, .command(let reply)):
      isProbing = false
      judge(ProbeReport(reply, timeoutSeconds: settings.probeTimeoutSeconds))
    case (.hook(let name, let messageID), let reply):
      if teller.hasTaken(messageID, name, reply) { state.backlog.take(messageID, from: name) }
      file.write(state)
    case (.heartbeat, .transfer(let reply)): noteBeat(reply)
    case (.probe, .transfer), (.heartbeat, .command): preconditionFailure("an errand has a reply of its own kind")
    }
  }

  private func judge(_ report: ProbeReport) {
    let before = state.watch.outage
    let message = state.watch.note(
      report.result, at: Clock.now, rules: settings.rules, newID: Identifier.make("outage-"),
      isRefusing: isSpoolFull, eventsAffected: eventCount)
    log(report.result, before: before, message)
    if let message { state.backlog.add(message, for: teller.names) }
    let lost = state.backlog.clear(keeping: teller.names, lasting: state.watch.outage?.id, at: Clock.now)
    for (hook, message) in lost {
      Log.error("a hook is not told any more", ["hook": hook, "message": message.id])
    }
    file.write(state)
    guard report.result == .usable else { return }
    warnings.note(report.warnings)
    if report.warnings.isEmpty { beat() }
  }

  /// Whether what comes in while the storage is out has to be refused.
  private var isSpoolFull: Bool {
    do {
      // Some room more than is asked for, for a disk fills by blocks, and large bodies are refused before small ones.
      return try spool?.isFull(adding: 1 << 20) ?? false
    } catch {
      Log.error("the spool's disk cannot be looked at", ["error": "\(error)"])
      return false
    }
  }

  /// How many events have been kept outside the storage since a moment. The first ones may have come before the first probe that
  /// failed.
  private func eventCount(since moment: Int) -> Int {
    do {
      return try spool?.events(since: moment - settings.probeIntervalSeconds) ?? 0
    } catch {
      Log.error("the spooled events cannot be counted", ["error": "\(error)"])
      return 0
    }
  }

  private func log(_ result: ProbeResult, before: StorageOutage?, _ message: StorageMessage?) {
    switch result {
    case .failed(let reason):
      if before == nil { Log.error("the storage cannot be used", ["reason": reason]) }
      if let message { Log.error("the storage is out", ["alert": message.id, "reason": reason]) }
    case .usable:
      guard let before else { return }
      Log.info("the storage can be used again", ["failed_probes": String(before.consecutiveFailures)])
    }
  }

  /// Says that all is well, where somebody misses it who does not hear it.
  private func beat() {
    guard let url = settings.heartbeatURL, Clock.monotonic >= nextBeat else { return }
    nextBeat = Clock.monotonic + Double(settings.heartbeatSeconds)
    let transfer = HTTPTransfer(
      url: url, method: "GET", timeoutSeconds: min(settings.heartbeatSeconds, 10))
    runner.begin(.transfer(.http(transfer)), tag: .heartbeat)
  }

  /// What the other side answers may quote the URL, which is a secret; its status does not.
  private func noteBeat(_ reply: Reply) {
    if let status = reply.status, (200..<300).contains(status) { return }
    let answer = reply.status.map { "answered \($0)" } ?? "no answer"
    Log.warning("the heartbeat was not taken", ["reason": answer])
  }
}
