import Host
import Postgres
import Store

/// A place outside that is told of the audit log.
protocol AuditOutlet: AnyObject {
  /// What keeps it from being told, for people to see.
  var warning: String? { get }

  /// Does what there is to do, and tells after how many seconds to ask again. Throws if the database is away.
  func proceed() throws -> Double

  /// Leaves the work to another process. Throws if the database is away.
  func rest() throws
}

/// Has the outlets told, as long as no other process does.
final class Exporter {
  /// How long to wait before looking whether there is something, in seconds.
  static let usualPause = 1.0
  private static let leaseSeconds = 45
  /// What is left of the lease then is enough for whatever an outlet does in one go.
  private static let secondsBetweenLeases = 5.0
  private static let secondsBetweenRunNotes = 20.0

  private let outlets: [any AuditOutlet]
  private let store: Store
  private let holder = Identifier.make(Machine.name + "-")
  private var warnings: [String] = []
  private var isWaiting = false
  private var nextLease = 0.0
  private var nextRunNote = 0.0

  init(to outlets: [any AuditOutlet], of store: Store) {
    self.outlets = outlets
    self.store = store
  }

  /// Works until a moment of the monotonic clock, or until asked to end.
  func run(until end: Double, _ termination: Termination) {
    var pause = 0.0
    while Clock.monotonic < end, !termination.isRequested(within: max(0, min(pause, end - Clock.monotonic))) {
      do {
        try noteRun()
        pause = try proceed()
        isWaiting = false
      } catch {
        if !isWaiting { Log.warning("the export of the audit log waits", ["reason": "\(error)"]) }
        isWaiting = true
        pause = Self.usualPause
      }
    }
    finish()
  }

  private func proceed() throws -> Double {
    if Clock.monotonic >= nextLease {
      guard try store.takeLease(of: ExportAudit.name, for: holder, seconds: Self.leaseSeconds) else {
        try outlets.forEach { try $0.rest() }
        return Self.usualPause
      }
      nextLease = Clock.monotonic + Self.secondsBetweenLeases
    }
    return try outlets.reduce(Self.usualPause) { try min($0, $1.proceed()) }
  }

  /// Lets those know who would miss the job, and those who look whether it works.
  private func noteRun() throws {
    let current = outlets.compactMap(\.warning)
    guard Clock.monotonic >= nextRunNote || current != warnings else { return }
    try store.noteRun(of: ExportAudit.name, on: Machine.name)
    try store.noteWarnings(current, of: ExportAudit.name, on: Machine.name)
    warnings = current
    nextRunNote = Clock.monotonic + Self.secondsBetweenRunNotes
  }

  /// Leaves the work to another one at once.
  private func finish() {
    do {
      try outlets.forEach { try $0.rest() }
      try store.endLease(of: ExportAudit.name, for: holder)
    } catch {
      Log.warning("the next export of the audit log begins a little later", ["reason": "\(error)"])
    }
  }
}
