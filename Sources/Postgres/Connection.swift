import CPQ

/// One connection to PostgreSQL, through libpq, good for one thread.
///
/// No call blocks for longer than its timeout, and for about 2 s where the server has stopped, even in the middle of an answer. A
/// connection that was lost stays lost: see ``isUsable``. It sets nothing in the
/// session, so that it may run through pgbouncer in transaction mode, with `prepares: false`.
package final class Connection {
  /// Why a connection is of no use any more.
  package enum Loss: Sendable {
    /// The server closed it, or serves nobody on it.
    case closed
    /// A statement took longer than it may.
    case overdue
    /// The server has stopped, or cannot be reached any more: it owes an answer, and takes up no other connection either.
    case lifeless
  }

  private let handle: OpaquePointer
  private let prepares: Bool
  private let timeouts: Timeouts
  private var prepared: [String: String] = [:]
  /// Until when another connection would find the same server.
  private let freshness = Deadline(seconds: 1)

  /// Why no statement can be sent any more, as far as it has been noticed.
  package private(set) var loss: Loss?

  /// Connects to the server of a URL (`postgresql://…`) or a libpq `key=value` string, which no error ever quotes.
  ///
  /// `prepares` off sends each statement's text along, for poolers that hand each transaction to another session. Every failure
  /// to connect is ``PostgresError/unreachable(reason:)``.
  package convenience init(
    url: String, prepares: Bool = true, timeouts: Timeouts = Timeouts()
  ) throws(PostgresError) {
    let attempt = try ConnectionAttempt(url: url, prepares: prepares, timeouts: timeouts)
    guard let handle = try attempt.connectedHandle(until: Deadline(seconds: timeouts.connect)) else {
      throw .unreachable(reason: "no answer from the server within \(timeouts.connect) s")
    }
    self.init(handle, prepares: prepares, timeouts: timeouts)
  }

  /// Takes over a connection of libpq's that has just been made.
  init(_ handle: OpaquePointer, prepares: Bool, timeouts: Timeouts) {
    PQsetNoticeReceiver(handle, { _, _ in }, nil)
    if PQsetnonblocking(handle, 1) != 0 { loss = .closed }
    self.handle = handle
    self.prepares = prepares
    self.timeouts = timeouts
  }

  deinit { PQfinish(handle) }

  /// Whether a statement can be sent: nothing has failed so far and, as far as the socket tells without waiting, the server has
  /// not closed the connection since.
  package var isUsable: Bool {
    if loss != nil { return false }
    // The end may stand behind a last message.
    while loss == nil, wait(for: PQsocket(handle), until: Deadline(seconds: 0)) == .ready {
      if PQconsumeInput(handle) == 0 { loss = .closed }
    }
    if PQstatus(handle) != CONNECTION_OK { loss = .closed }
    return loss == nil
  }

  /// Runs a statement and waits for all of its rows.
  @discardableResult
  package func run(_ statement: Statement, _ parameters: Parameter...) throws(PostgresError) -> Rows {
    try run(statement, parameters)
  }

  /// Runs a statement and waits for all of its rows.
  @discardableResult
  package func run(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
    try run(statement, parameters, seconds: timeouts.statement)
  }

  /// Runs a statement behind another one, in one transaction and one round trip, and answers the rows of the second.
  @discardableResult
  package func run(
    _ statement: Statement, _ parameters: [Parameter], after first: (statement: Statement, parameters: [Parameter])
  ) throws(PostgresError) -> Rows {
    try run(statement, parameters, after: first, seconds: timeouts.statement)
  }

  /// The same with a second statement that may take the server so many seconds longer than others may.
  package func run(
    _ statement: Statement, _ parameters: [Parameter], after first: (statement: Statement, parameters: [Parameter]),
    extraSeconds: Double
  ) throws(PostgresError) -> Rows {
    let seconds = timeouts.statement + extraSeconds
    try run(Statement("begin", "BEGIN"))
    do {
      try run(
        Statement("allow_time", "SELECT set_config('statement_timeout', $1, true)"), .text("\(Int(seconds * 1000))"))
      let rows = try run(statement, parameters, after: first, seconds: seconds)
      try run(Statement("commit", "COMMIT"))
      return rows
    } catch {
      if isUsable { try run(Statement("rollback", "ROLLBACK")) }
      throw error
    }
  }

  private func run(
    _ statement: Statement, _ parameters: [Parameter], after first: (statement: Statement, parameters: [Parameter]),
    seconds: Double
  ) throws(PostgresError) -> Rows {
    let deadline = Deadline(seconds: seconds)
    if prepares {
      try prepare(first.statement, first.parameters, until: deadline)
      try prepare(statement, parameters, until: deadline)
    }
    guard PQenterPipelineMode(handle) == 1 else { throw lost() }
    let isSent = send(first.statement, first.parameters) == 1 && send(statement, parameters) == 1
    guard isSent, PQpipelineSync(handle) == 1 else { throw lost() }
    let outcome = try pipelineResult(until: deadline)
    guard PQexitPipelineMode(handle) == 1 else { throw lost() }
    return Rows(try settled(outcome.last, failed: outcome.failed))
  }

  private func run(
    _ statement: Statement, _ parameters: [Parameter], seconds: Double
  ) throws(PostgresError) -> Rows {
    let deadline = Deadline(seconds: seconds)
    if prepares { try prepare(statement, parameters, until: deadline) }
    return Rows(try result(sent: send(statement, parameters), until: deadline))
  }

  private func send(_ statement: Statement, _ parameters: [Parameter]) -> Int32 {
    EncodedParameters(parameters).withPointers { count, types, values, lengths, formats in
      prepares
        ? PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1)
        : PQsendQueryParams(handle, statement.sql, count, types, values, lengths, formats, 1)
    }
  }

  /// Runs several statements of a file, separated by semicolons, as one transaction unless the text has its own. Its text comes
  /// from the project alone, never from a client.
  package func run(script: String) throws(PostgresError) {
    let sent = PQsendQuery(handle, script)
    _ = try result(sent: sent, until: Deadline(seconds: timeouts.statement))
  }

  /// Runs a body inside `BEGIN` and `COMMIT`; whatever it throws rolls back.
  package func transaction<Value>(_ body: () throws -> Value) throws -> Value {
    try run(Statement("begin", "BEGIN"))
    do {
      let value = try body()
      try run(Statement("commit", "COMMIT"))
      return value
    } catch {
      if isUsable { try run(Statement("rollback", "ROLLBACK")) }
      throw error
    }
  }

  /// Starts listening to a channel. Needs a session of its own: not through a pooler in transaction mode.
  package func listen(to channel: StaticString) throws(PostgresError) {
    try run(Statement("listen \(channel)", "LISTEN \(channel)"))
  }

  /// The socket, readable when a notification may have come or the connection was lost: for a program that waits for several
  /// things at once. It may change when the connection is used.
  package var descriptor: CInt { PQsocket(handle) }

  /// Waits until a notification arrives on any channel listened to, and takes all that are there. False when the time is up or a
  /// signal came in, so that the caller can look whether it has been asked to stop.
  package func waitForNotification(seconds: Double) throws(PostgresError) -> Bool {
    let deadline = Deadline(seconds: seconds)
    while !takeNotifications() {
      guard wait(for: PQsocket(handle), until: deadline) == .ready else { return false }
      guard PQconsumeInput(handle) == 1 else { throw lost() }
    }
    return true
  }

  private func takeNotifications() -> Bool {
    var isAny = false
    while let notification = PQnotifies(handle) {
      PQfreemem(notification)
      isAny = true
    }
    return isAny
  }

  private func prepare(
    _ statement: Statement, _ parameters: [Parameter], until deadline: Deadline
  ) throws(PostgresError) {
    if let sql = prepared[statement.name] {
      precondition(sql == statement.sql, "two statements are named \(statement.name)")
      return
    }
    let types = parameters.map(\.type.rawValue)
    let sent = PQsendPrepare(handle, statement.name, statement.sql, Int32(types.count), types)
    _ = try result(sent: sent, until: deadline)
    prepared[statement.name] = statement.sql
  }

  /// The last result of what has just been sent, or the first error among the results.
  private func result(sent: Int32, until deadline: Deadline) throws(PostgresError) -> ServerResult {
    guard sent == 1 else { throw lost() }
    try flush(until: deadline)
    var last: ServerResult?
    var failed: ServerResult?
    while let result = try nextResult(until: deadline) {
      if failed == nil, result.error != nil { failed = result }
      last = result
    }
    return try settled(last, failed: failed)
  }

  /// The last result of a pipeline, and the first of it that is an error. A missing one parts the results of two statements.
  private func pipelineResult(
    until deadline: Deadline
  ) throws(PostgresError) -> (last: ServerResult?, failed: ServerResult?) {
    try flush(until: deadline)
    var last: ServerResult?
    var failed: ServerResult?
    while true {
      guard let result = try nextResult(until: deadline) else {
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
        continue
      }
      if result.endsPipeline { return (last, failed) }
      if failed == nil, result.error != nil { failed = result }
      last = result
    }
  }

  /// The result of what has been sent, unless one failed.
  private func settled(_ last: ServerResult?, failed: ServerResult?) throws(PostgresError) -> ServerResult {
    if let failed, let error = failed.error {
      loss = Loss(sqlState: failed.sqlState, isFresh: !freshness.isOver)
      throw error
    }
    guard let last else { throw lost() }
    return last
  }

  /// Sends what is buffered. Reads meanwhile, for a server whose own answer is stuck takes nothing.
  private func flush(until deadline: Deadline) throws(PostgresError) {
    while true {
      let state = PQflush(handle)
      if state == 0 { return }
      guard state == 1 else { throw lost() }
      try waitForServer(until: deadline, orWriting: true)
    }
  }

  private func nextResult(until deadline: Deadline) throws(PostgresError) -> ServerResult? {
    while PQisBusy(handle) == 1 { try waitForServer(until: deadline, orWriting: false) }
    return PQgetResult(handle).map { ServerResult($0) }
  }

  private func waitForServer(until deadline: Deadline, orWriting: Bool) throws(PostgresError) {
    let patience = Int32(timeouts.silence * 1000)
    switch wait(for: PQsocket(handle), orWriting: orWriting, until: deadline, atMost: patience) {
    case .ready:
      if PQconsumeInput(handle) == 0 { throw lost() }
    case .timedOut where deadline.isOver:
      loss = .overdue
      throw .unreachable(reason: "no answer within \(timeouts.statement) s")
    case .timedOut:
      guard isLifeless(server: PQsocket(handle), for: timeouts.signOfLife) else { return }
      loss = .lifeless
      throw .unreachable(reason: "the server has stopped answering")
    case .interrupted:
      break
    }
  }

  private func lost() -> PostgresError {
    loss = .closed
    return .unreachable(reason: cleaned(PQerrorMessage(handle)))
  }
}

extension Connection.Loss {
  /// What an error leaves of a connection. It is of no use where the server is going away, or has lost or outdated what was
  /// prepared (26000; 0A000 when a migration changed the type of a column). For a server that takes no writes (25006) there may
  /// be another by now, but not at each statement. A server whose disk is full goes on.
  fileprivate init?(sqlState: String?, isFresh: Bool) {
    switch sqlState {
    case "25006": if isFresh { return nil } else { self = .closed }
    case "57014": self = .overdue
    case nil, "26000", "0A000": self = .closed
    case let state? where state.hasPrefix("08") || state.hasPrefix("57P0"): self = .closed
    default: return nil
    }
  }
}
