import Host
import Postgres
import Store

/// Goes round the tables a stretch at a time, in turn, and removes what has been kept for long enough.
///
/// A round begins somewhere at random: a process lives for a minute where cron starts it, which is too short for one round of a
/// large table, and there may be any number of processes.
struct Sweep {
  /// How much of a table to look at in one go: 2 MB, some 10,000 rows.
  private static let blocks = 256
  /// The most rows to remove in one go.
  private static let rows = 1000
  private static let secondsBetweenSteps = 0.5
  /// A round of a table begins no sooner after the last one did.
  private static let secondsBetweenRounds = 60.0

  private var rounds: [Round]
  private var nextStep = 0.0

  /// How far the sweep of a table has come.
  private struct Round {
    let kept: Kept
    let days: Int
    var beganAt = -Sweep.secondsBetweenRounds
    /// Where to go on.
    var block = 0
    /// How much there is to look at still; nil before the size of the table is known.
    var left: Int?
    var removed = 0

    func isDue(at now: Double) -> Bool { left != nil || now >= beganAt + Sweep.secondsBetweenRounds }

    /// Takes note of what was removed, of a table of so many blocks; a stretch where there may be more to remove is not done.
    mutating func take(_ rows: Int, of blocks: Int, isDone: Bool) {
      removed += rows
      guard isDone else { return left = left ?? blocks }
      let rest = (left ?? blocks) - Sweep.blocks
      guard rest > 0 else { return end() }
      let next = left == nil ? .random(in: 0..<blocks) / Sweep.blocks * Sweep.blocks : block + Sweep.blocks
      (block, left) = (next < blocks ? next : 0, rest)
    }

    private mutating func end() {
      if removed > 0 {
        Log.info("what had been kept for long enough was removed", ["what": "\(kept)", "rows": String(removed)])
      }
      (block, left, removed) = (0, nil, 0)
    }
  }

  /// Keeps as the retention says.
  init(_ retention: Retention) {
    rounds = Kept.allCases.compactMap { kept in retention[kept].map { Round(kept: kept, days: $0) } }
  }

  /// Looks at one stretch, if it is time to.
  mutating func step(in store: Store) throws(PostgresError) {
    let now = Clock.monotonic
    guard now >= nextStep, let index = rounds.firstIndex(where: { $0.isDue(at: now) }) else { return }
    nextStep = now + Self.secondsBetweenSteps
    var round = rounds.remove(at: index)
    if round.left == nil { round.beganAt = now }
    let stretch = round.block..<round.block + Self.blocks
    do {
      let (rows, blocks) = try store.remove(round.kept, days: round.days, in: stretch, limit: Self.rows)
      round.take(rows, of: blocks, isDone: rows < Self.rows)
    } catch  where error.refusal != nil {
      // Deliveries go on without it.
      return Log.error("nothing more is removed by this process", ["what": "\(round.kept)", "error": "\(error)"])
    }
    rounds.append(round)
  }
}
