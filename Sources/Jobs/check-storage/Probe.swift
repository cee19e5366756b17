import Glibc
import Host
import JSON
import Postgres
import StorageWatch
import Store

/// One look at the storage, by a process of its own; see ``ProbeReport`` for what it says.
enum Probe {
  /// What the process is told on standard input.
  struct Order: JSONWritable {
    let limits: StorageLimits
    let stateDirectory: String
    let timeoutSeconds: Int

    init(limits: StorageLimits, stateDirectory: String, timeoutSeconds: Int) {
      self.limits = limits
      self.stateDirectory = stateDirectory
      self.timeoutSeconds = timeoutSeconds
    }

    init(json: JSONValue) throws {
      var reader = try ObjectReader(json)
      let limits = reader.nested("limits", StorageLimits.init(json:))
      stateDirectory = reader.requiredString("state_directory", length: 1...4096)
      timeoutSeconds = reader.integer("timeout_secs", in: 1...60) ?? 5
      reader.require("limits")
      try reader.finish()
      guard let limits else { preconditionFailure("an order without faults has limits") }
      self.limits = limits
    }

    func write(to writer: inout JSONWriter) {
      writer.object { members in
        members.add("limits", limits)
        members.add("state_directory", stateDirectory)
        members.add("timeout_secs", timeoutSeconds)
      }
    }

    /// The process: this program again.
    func command() -> Command {
      Command(
        program: "/proc/self/exe", arguments: ["check-storage", "probe"], environment: Environment.all(),
        input: json, timeoutSeconds: timeoutSeconds)
    }
  }

  /// The process.
  static func run() {
    do {
      let order = try Order(json: JSONValue(parsing: File.read("/dev/stdin")))
      let store = try Store.configured(as: .checkStorage, timeouts: timeouts(within: order.timeoutSeconds))
      let result = probe(store)
      say(ProbeReport.line(result))
      if result == .usable { say(ProbeReport.line(warnings(order, store))) }
    } catch {
      say(ProbeReport.line(.failed("\(error)")))
    }
  }

  /// What connecting may not take is the statements'.
  private static func timeouts(within seconds: Int) -> Timeouts {
    var timeouts = Timeouts()
    timeouts.statement = max(1, Double(seconds) - timeouts.connect)
    return timeouts
  }

  private static func probe(_ store: Store) -> ProbeResult {
    do {
      let isThere = try store.probe(from: Machine.name, token: Identifier.make(""))
      return isThere ? .usable : .failed("what was written could not be read back")
    } catch {
      return .failed("\(error)")
    }
  }

  /// What failed here is no failure of the storage, which could be written.
  private static func warnings(_ order: Order, _ store: Store) -> [StorageWarning] {
    do {
      return try look(order, store)
    } catch {
      return [StorageWarning("a look at the storage", "failed: \(error)")]
    }
  }

  private static func look(_ order: Order, _ store: Store) throws -> [StorageWarning] {
    let sight = try store.storageSight()
    let overdue = try store.latestRuns().filter(\.isOverdue)
    let disks = [order.stateDirectory] + order.limits.disks + (sight.dataDirectory.map { [$0] } ?? [])
    let once = disks.enumerated().filter { !disks[..<$0.offset].contains($0.element) }.map(\.element)
    let warnings =
      try once.compactMap { warning(ofDiskWith: $0, order.limits) } + sight.warnings(order.limits)
      + overdue.map { StorageWarning("the job \($0.job)", "has not run since \($0.ranAt)") } + exportWarnings(store)
    try store.noteWarnings(warnings.map { "\($0.subject) \($0.detail)" }, of: "check-storage", on: Machine.name)
    return warnings
  }

  /// What the job has to say that exports the audit log, on a host where it runs.
  private static func exportWarnings(_ store: Store) throws -> [StorageWarning] {
    try store.jobRuns().filter { $0.job == "export-audit" && $0.age <= JobRun.patienceSeconds }.flatMap { run in
      run.warnings.map { StorageWarning("the job \(run.job) on \(run.host)", "says that \($0)") }
    }
  }

  private static func warning(ofDiskWith folder: String, _ limits: StorageLimits) -> StorageWarning? {
    do {
      let free = try Machine.freePercent(ofDiskWith: folder)
      return free >= limits.freePercent ? nil : StorageWarning("the disk of \(folder)", "has \(free) % left")
    } catch {
      return StorageWarning("the disk of \(folder)", "cannot be looked at: \(error)")
    }
  }

  private static func say(_ line: [UInt8]) { _ = write(STDOUT_FILENO, line, line.count) }
}

extension StorageSight {
  fileprivate func warnings(_ limits: StorageLimits) -> [StorageWarning] {
    var warnings = idleSlots.map { slot in
      StorageWarning("the replication slot \(slot)", "is not used, and what is kept for it fills the disk")
    }
    for replica in replicas {
      guard let lag = replica.lagSeconds, lag > limits.replicationLagSeconds else { continue }
      warnings.append(StorageWarning("the replica \(replica.name)", "is \(lag) s behind"))
    }
    if deliveryDelaySeconds > limits.deliveryDelaySeconds {
      warnings.append(StorageWarning("a delivery", "has been due for \(deliveryDelaySeconds) s"))
    }
    return warnings
  }
}
