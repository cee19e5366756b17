import Curl
import Host
import Store

/// Look, send, take note: over and over.
///
/// It is noted that an entry was exported when the other host has acknowledged its last byte and the connection is still there; what
/// was sent just before a connection ended is sent again. So nothing is lost, and some of it may come twice: a receiver tells by
/// tenant and number what it has already.
final class SyslogOutlet: AuditOutlet {
  /// How long the receiver may take for what is sent in one go.
  private static let secondsToSend = 20.0
  /// How long to wait after a failure at the most: twice as long after each.
  private static let longestPause = 60.0
  /// How long to rest after a look that found nothing: so many times as long as it took, for the more tenants there are the longer it
  /// takes, 0.1 s of two processors with 100,000; and that many seconds at the most.
  private static let restPerLook = 50.0
  private static let longestRest = 10.0

  private let destination: SyslogDestination
  private let store: Store
  private let message: AuditMessage
  private var stream: OutgoingStream?
  private var connectedAt = 0.0
  private var recent = RecentlySent()
  /// What has to be sent again, with all behind it.
  private var lost: [ExportedEntry] = []
  private var outage: (since: String, reason: String, failures: Int)?
  private var nextTry = 0.0

  init(to destination: SyslogDestination, of store: Store) {
    self.destination = destination
    self.store = store
    message = AuditMessage(enterprise: destination.enterprise)
  }

  /// A single connection that broke is no matter: the next one goes on.
  var warning: String? {
    guard let outage, outage.failures > 1 else { return nil }
    return "the audit log has not got to \(destination.address) since \(outage.since): \(outage.reason)"
  }

  func proceed() throws -> Double {
    try repeatLost()
    guard Clock.monotonic >= nextTry else { return Exporter.usualPause }
    do {
      try look()
      let start = Clock.monotonic
      let backlog = try store.auditBacklog()
      if backlog.isEmpty {
        nextTry = Clock.monotonic + min((Clock.monotonic - start) * Self.restPerLook, Self.longestRest)
        return Exporter.usualPause
      }
      try send(backlog)
    } catch let failure as StreamFailure {
      note(failure)
      try repeatLost()
    }
    return 0
  }

  /// The other one has a connection of its own.
  func rest() throws {
    (stream, outage) = (nil, nil)
    try repeatLost()
  }

  /// Looks whether the connection is still there. A receiver may close one that is idle: what comes next goes over another.
  private func look() throws(StreamFailure) {
    do {
      try stream?.check()
    } catch {
      guard hasLasted else { throw error }
      Log.info("the syslog server has ended the connection", ["reason": "\(error)"])
      disconnect()
    }
    guard let outage, stream != nil, hasLasted else { return }
    Log.info("the audit log is exported again", ["to": "\(destination.address)", "since": outage.since])
    self.outage = nil
  }

  /// Whether the connection has shown that somebody is there, and not only that somebody takes connections.
  private var hasLasted: Bool { Clock.monotonic >= connectedAt + RecentlySent.seconds }

  private func send(_ entries: [AuditEntry]) throws {
    let stream = try stream ?? connection()
    let exported = entries.map(ExportedEntry.init)
    recent.add(exported, at: Clock.monotonic)
    try stream.send(entries.flatMap(message.frame), within: Self.secondsToSend)
    try store.noteExport(of: exported)
  }

  private func connection() throws(StreamFailure) -> OutgoingStream {
    let stream = try OutgoingStream(
      to: destination.address, authorities: destination.authorities, showing: destination.certificate)
    (self.stream, connectedAt) = (stream, Clock.monotonic)
    return stream
  }

  private func disconnect() {
    stream = nil
    lost += recent.lose(at: Clock.monotonic)
  }

  private func repeatLost() throws {
    if !lost.isEmpty { try store.repeatExport(of: lost) }
    lost = []
  }

  /// Takes note that the connection is of no use.
  private func note(_ failure: StreamFailure) {
    disconnect()
    if outage == nil {
      Log.warning(
        "the audit log is not exported", ["to": "\(destination.address)", "reason": failure.description])
    }
    let failures = (outage?.failures ?? 0) + 1
    outage = (outage?.since ?? Clock.rfc3339(Clock.now), failure.description, failures)
    nextTry = Clock.monotonic + min(Double(1 << min(failures - 1, 10)), Self.longestPause)
  }
}
