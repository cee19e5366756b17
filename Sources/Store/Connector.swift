import Host
import Postgres

/// Brings a store its connection. While the database is away it says so at once, and gets on with connecting in short moments of
/// the calls that come, so that no call waits for what another has waited for, and the first ones after it is back find it.
struct Connector {
  let url: String
  let prepares: Bool
  let timeouts: Timeouts
  private var attempt: ConnectionAttempt?
  private var absence: Absence?

  init(url: String, prepares: Bool, timeouts: Timeouts) {
    self.url = url
    self.prepares = prepares
    self.timeouts = timeouts
  }

  /// A connection beside any other; waits for it.
  func separateConnection() throws(PostgresError) -> Connection {
    try Connection(url: url, prepares: prepares, timeouts: timeouts)
  }

  /// A connection for the store's use.
  mutating func connection() throws(PostgresError) -> Connection {
    let patience =
      if let absence { absence.patience(at: Clock.monotonic, full: timeouts.connect) } else { timeouts.connect }
    if let patience {
      do {
        if let connection = try look(for: patience) {
          (attempt, absence) = (nil, nil)
          return connection
        }
        note(nil)
      } catch {
        attempt = nil
        note(error)
      }
    }
    throw .unreachable(reason: absence?.reason ?? Self.silence)
  }

  /// Takes note that the server has stopped under a connection, so that nobody waits for another.
  mutating func noteAbsence() { absence = Absence(reason: Self.silence, at: Clock.monotonic) }

  private static let silence = "no answer from the server"

  private mutating func note(_ error: PostgresError?) {
    let reason: String? = if case .unreachable(let reason) = error { reason } else { nil }
    let now = Clock.monotonic
    if absence == nil { absence = Absence(reason: Self.silence, at: now) }
    absence?.extend(reason: reason, at: now)
  }

  /// Goes on with the attempt under way; where that has failed since, or there is none, with a new one.
  private mutating func look(for seconds: Double) throws(PostgresError) -> Connection? {
    let end = Clock.monotonic + seconds
    if let attempt {
      do {
        return try attempt.connection(within: seconds)
      } catch {
        self.attempt = nil
      }
    }
    let fresh = try ConnectionAttempt(url: url, prepares: prepares, timeouts: timeouts)
    attempt = fresh
    return try fresh.connection(within: end - Clock.monotonic)
  }
}
