import Postgres

/// Everything that is kept, in PostgreSQL: one function for each thing that is asked of it or done to it.
///
/// It connects when it is first used and again when the connection was lost. Good for one thread.
package final class Store {
  private let url: String
  let prepares: Bool
  private let timeouts: Timeouts
  private var connection: Connection?

  /// A store at a connection URL; nothing is connected yet. `prepares` off is for poolers in transaction mode.
  package init(url: String, prepares: Bool = true, timeouts: Timeouts = Timeouts()) {
    self.url = url
    self.prepares = prepares
    self.timeouts = timeouts
  }

  /// The connection in use, or a new one where there is none that still works.
  func connected() throws(PostgresError) -> Connection {
    if let connection, connection.isUsable { return connection }
    connection = nil
    let fresh = try freshConnection()
    connection = fresh
    return fresh
  }

  /// A connection beside the one in use.
  func freshConnection() throws(PostgresError) -> Connection {
    try Connection(url: url, prepares: prepares, timeouts: timeouts)
  }

  /// Runs a statement that writes. Never twice by itself: after a lost connection nobody knows whether it took effect.
  @discardableResult
  func write(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try connected().run(statement, parameters)
  }

  /// Runs a statement that changes nothing; once more on a fresh connection if the one in use turned out to be lost.
  func read(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    let isFresh = connection == nil
    do {
      return try connected().run(statement, parameters)
    } catch .unreachable where !isFresh {
      return try connected().run(statement, parameters)
    }
  }
}
