import Postgres

/// Everything that is kept, in PostgreSQL: one function for each thing that is asked of it or done to it.
///
/// It connects when it is first used and again when the connection was lost. While the database is away a call fails at once, but
/// for the first; see ``Connector``. Good for one thread.
package final class Store {
  /// What the program is in the database; nil is no more than who logs in.
  let role: DatabaseRole?
  private var connector: Connector
  private var connection: Connection?
  /// Whose keys have been checked, where that is to be remembered.
  package var recentCallers: RecentCallers?
  /// From when on it may be noted that a key is in use, by the monotonic clock.
  var nextUseNote = 0.0
  /// What the secrets of providers are sealed with, where this program may see them.
  package var masterKeys: MasterKeys?
  /// On whose behalf changes are made from now on; nil where nobody has said.
  package var actor: Actor?

  /// A store at a connection URL; nothing is connected yet. `prepares` off is for poolers in transaction mode.
  package init(url: String, as role: DatabaseRole? = nil, prepares: Bool = true, timeouts: Timeouts = Timeouts()) {
    self.role = role
    connector = Connector(url: url, prepares: prepares, timeouts: timeouts)
  }

  var prepares: Bool { connector.prepares }

  /// Whether there is a connection that has worked so far.
  var isConnected: Bool { connection.map { $0.loss == nil } ?? false }

  /// The connection in use, or a new one where there is none that still works.
  func connected() throws(PostgresError) -> Connection {
    if let connection, connection.isUsable { return connection }
    if connection?.loss == .lifeless { connector.noteAbsence() }
    connection = nil
    let fresh = try connector.connection()
    connection = fresh
    return fresh
  }

  /// A connection beside the one in use.
  func freshConnection() throws(PostgresError) -> Connection {
    try connector.separateConnection()
  }

  /// Runs a statement that writes. Never twice by itself: after a lost connection nobody knows whether it took effect.
  @discardableResult
  func write(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try connected().run(statement, parameters, after: opening)
  }

  /// Runs a statement that changes nothing; once more on a fresh connection if the server had closed the one in use.
  func read(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try reading { connection throws(PostgresError) in try connection.run(statement, parameters, after: opening) }
  }

  /// The same without a role and a tenant, by what the login may do itself: for what is asked before they are known, and of the server.
  func readAsLogin(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try reading { connection throws(PostgresError) in try connection.run(statement, parameters) }
  }

  private func reading(_ read: (Connection) throws(PostgresError) -> Rows) throws(PostgresError) -> Rows {
    let isFresh = connection == nil
    do {
      return try read(connected())
    } catch .unreachable where !isFresh && connection?.loss == .closed {
      return try read(connected())
    }
  }
}
