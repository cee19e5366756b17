import Host
import Postgres

/// A time in which the database cannot be used: told once, with longer and longer waits between the questions.
struct Outage {
  private static let shortestWait = 0.25
  private static let longestWait = 5.0

  /// When to ask again, by the monotonic clock; the past where there is no outage.
  private(set) var retryAt = 0.0
  /// Whether the database could not be used when it was last asked.
  var isOn: Bool { wait > 0 }
  private var wait = 0.0

  /// Takes note that the database could not be used.
  mutating func note(_ error: PostgresError) {
    if !isOn { Log.error("deliveries wait for the database", ["error": "\(error)"]) }
    wait = min(max(wait * 2, Self.shortestWait), Self.longestWait)
    retryAt = Clock.monotonic + wait
  }

  /// Takes note that the database answers.
  mutating func end() {
    if isOn { Log.info("the database is back") }
    (wait, retryAt) = (0, 0)
  }
}
