import Host
import Postgres
import Spool
import Store

/// Seal, read in the order of arrival, admit, forget: over and over, as long as there is something.
final class Replayer {
  /// How long to wait before looking whether there is something, in seconds; longer and longer while it cannot be replayed.
  private static let shortestPause = 0.5
  private static let longestPause = 2.0
  private static let secondsBetweenReports = 5.0
  private static let secondsBetweenRunNotes = 30.0

  private let spool: Spool
  private let store: Store
  private let admitter: SpoolAdmitter
  /// Whether the last pass got through. While the database is away nothing more is sealed, or every writer would begin anew each
  /// time.
  private var gotThrough = false
  private var isWaiting = false
  private var reportAt = 0.0
  private var nextRunNote = 0.0
  private var replayed = 0

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
        (gotThrough, isWaiting) = (true, false)
      } catch {
        if !isWaiting { Log.warning("what was spooled waits", ["reason": "\(error)"]) }
        (gotThrough, isWaiting) = (false, true)
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
    admitter.begin()
    let merge = SpoolMerge(try spool.sealed(sealingMore: gotThrough), of: spool, store)
    var isDone = try finish(merge.takeEnded())
    while let group = try merge.next() {
      for (_, records) in group { replayed += try admitter.admit(records) }
      isDone = try finish(merge.takeEnded()) && isDone
      try report()
      if termination.isRequested || Clock.monotonic >= end { break }
    }
    isDone = try finish(merge.takeEnded()) && isDone
    try admitter.markSpent()
    if replayed > 0 {
      let milliseconds = Int(((Clock.monotonic - start) * 1000).rounded())
      Log.info(
        "what was spooled has been replayed", ["events": "\(replayed)", "milliseconds": "\(milliseconds)"])
    }
    return isDone
  }

  /// Forgets segments that were read to their end, and tells whether nothing of them is left.
  private func finish(_ cursors: [SegmentCursor]) throws -> Bool {
    for cursor in cursors where cursor.isDone {
      try spool.finish(cursor.reader, events: cursor.events, last: cursor.lastReceivedAt)
      try store.forgetReplay(segment: cursor.reader.name)
      admitter.forget(segment: cursor.reader.name)
    }
    return cursors.allSatisfy(\.isDone)
  }

  private func report() throws {
    guard Clock.monotonic >= reportAt else { return }
    reportAt = Clock.monotonic + Self.secondsBetweenReports
    Log.info("what was spooled is being replayed", ["events": "\(replayed)"])
    try admitter.markSpent()
    try noteRun()
  }
}
