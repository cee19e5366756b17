import Host
import Matching
import Postgres
import Spool
import Store

/// Seal, read in the order of arrival, admit, forget: over and over, as long as there is something.
final class Replayer {
  /// What came in within so many microseconds is decided together, as of the first of it.
  private static let groupSpan = 100_000
  /// So many bytes of bodies are decided together at the most.
  private static let groupSize = 4 << 20
  /// How long to wait before looking whether there is something, in seconds; longer and longer while it cannot be replayed.
  private static let shortestPause = 0.5
  private static let longestPause = 2.0
  private static let secondsBetweenReports = 5.0
  private static let secondsBetweenRunNotes = 30.0

  private let spool: Spool
  private let admitter: SpoolAdmitter
  private let store: Store
  private var reportAt = 0.0
  private var replayed = 0
  private var nextRunNote = 0.0

  init(_ spool: Spool, _ store: Store) {
    self.spool = spool
    self.store = store
    admitter = SpoolAdmitter(store)
  }

  /// Works until a time on the monotonic clock, or until asked to end.
  func run(until end: Double, _ termination: Termination) {
    var pause = Self.shortestPause
    while Clock.monotonic < end, !termination.isRequested(within: min(pause, end - Clock.monotonic)) {
      do {
        try noteRun()
        let isDone = try spool.isEmpty() || pass(until: end, termination)
        pause = isDone ? Self.shortestPause : min(pause * 2, Self.longestPause)
      } catch {
        if pause == Self.shortestPause { Log.warning("what was spooled waits", ["reason": "\(error)"]) }
        pause = min(pause * 2, Self.longestPause)
      }
    }
  }

  /// Lets those know who would miss the job.
  private func noteRun() throws {
    guard Clock.monotonic >= nextRunNote else { return }
    try store.noteRun(of: "replay", on: Machine.name)
    nextRunNote = Clock.monotonic + Self.secondsBetweenRunNotes
  }

  /// Goes through all that is there once, and tells whether nothing of it is left.
  private func pass(until end: Double, _ termination: Termination) throws -> Bool {
    let start = Clock.monotonic
    replayed = 0
    reportAt = start + Self.secondsBetweenReports
    let cursors = try spool.sealed().map { reader in
      let marks = try store.replayMarks(segment: reader.name).map { ($0.tenant, $0.replayedTo) }
      return try SegmentCursor(reader, of: spool, marks: Dictionary(uniqueKeysWithValues: marks))
    }
    admitter.begin()
    while let group = try nextGroup(of: cursors) {
      for (tenant, records) in group { try admitter.admit(records, of: tenant) }
      replayed += group.values.joined().reduce(0) { $0 + $1.body.events }
      report()
      try noteRun()
      if termination.isRequested || Clock.monotonic >= end { return true }
    }
    for cursor in cursors where cursor.isDone {
      try spool.finish(cursor.reader, events: cursor.events, last: cursor.lastReceivedAt)
      try store.forgetReplay(segment: cursor.reader.name)
    }
    if replayed > 0 {
      let milliseconds = Int(((Clock.monotonic - start) * 1000).rounded())
      Log.info(
        "what was spooled has been replayed", ["events": "\(replayed)", "milliseconds": "\(milliseconds)"])
    }
    return cursors.allSatisfy(\.isDone)
  }

  /// What came in next, by tenant.
  private func nextGroup(of cursors: [SegmentCursor]) throws -> [String: [SpoolRecord]]? {
    var group: [String: [SpoolRecord]] = [:]
    var (first, size) = (0, 0)
    while let cursor = earliest(of: cursors), let next = cursor.next {
      if group.isEmpty { first = next.body.receivedAt }
      size += next.body.bytes.count
      let isTooMuch = size > Self.groupSize || next.body.receivedAt > first + Self.groupSpan
      if isTooMuch, !group.isEmpty { return group }
      group[next.body.tenant, default: []].append(SpoolRecord(body: next.body, range: next.range, cursor: cursor))
      try cursor.advance()
    }
    return group.isEmpty ? nil : group
  }

  private func earliest(of cursors: [SegmentCursor]) -> SegmentCursor? {
    cursors.filter { $0.next != nil }.min { ($0.next?.body.receivedAt ?? 0) < ($1.next?.body.receivedAt ?? 0) }
  }

  private func report() {
    guard Clock.monotonic >= reportAt else { return }
    reportAt = Clock.monotonic + Self.secondsBetweenReports
    Log.info("what was spooled is being replayed", ["events": "\(replayed)"])
  }
}
