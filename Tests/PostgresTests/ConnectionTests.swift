import Glibc
import Host
import Postgres
import TestSupport
import Testing

@Suite("A connection to PostgreSQL")
final class ConnectionTests {
  let database: TestDatabase
  let connection: Connection

  init() throws {
    database = try TestDatabase(isEmpty: true)
    connection = try database.connect()
  }

  /// The process of the server that serves the connection.
  private func backend() throws -> pid_t {
    pid_t(try connection.run(Statement("backend", "SELECT pg_backend_pid()"))[0].int(0))
  }

  @Test("Values go there and back unchanged, NULL among them")
  func values() throws {
    let row = try connection.run(
      Statement("values", "SELECT $1, $2, $3, $4, $5, $6, $7, $8 IS NULL, $9::smallint, $10"),
      .text("O'Reilly \\ \u{1F514}"), .text(""), .int(.min), .bool(true), .bytes([0, 255, 39]),
      .texts(["a", "", "{,}"]), .json(Array(#"{"a" :1.50,"a":"\u0000\ud800"}"#.utf8)), .texts(nil as [String]?),
      .int(-5), .text(nil))[0]
    #expect(row.text(0) == "O'Reilly \\ \u{1F514}")
    #expect(row.text(1) == "")
    #expect(row.int(2) == .min)
    #expect(row.bool(3))
    #expect(row.bytes(4) == [0, 255, 39])
    #expect(row.texts(5) == ["a", "", "{,}"])
    #expect(row.text(6) == #"{"a" :1.50,"a":"\u0000\ud800"}"#)
    #expect(row.bool(7))
    #expect(row.intOrNil(8) == -5)
    #expect(row.textOrNil(9) == nil)
  }

  @Test("Arrays go element by element, with NULLs where they are")
  func arrays() throws {
    let rows = try connection.run(
      Statement("arrays", "SELECT * FROM unnest($1, $2, $3, $4)"),
      .texts(["x", nil]), .ints([7, 8]), .bools([true, false]), .jsons([Array("1.0".utf8), Array("[]".utf8)]))
    #expect(rows.map { $0.textOrNil(0) } == ["x", nil])
    #expect(rows.map { $0.int(1) } == [7, 8])
    #expect(rows.map { $0.bool(2) } == [true, false])
    #expect(rows.map { $0.text(3) } == ["1.0", "[]"])
    #expect(try connection.run(Statement("none", "SELECT $1"), .texts([String]()))[0].texts(0) == [])
  }

  @Test("Text with a NUL and bytes that are no JSON are refused, and the connection goes on")
  func refusedValues() throws {
    let echo = Statement("echo", "SELECT $1")
    let nul = #expect(throws: PostgresError.self) { try connection.run(echo, .text("a\0b")) }
    #expect(nul?.refusal?.sqlState == "22021")
    let json = #expect(throws: PostgresError.self) { try connection.run(Statement("j", "SELECT $1"), .json([123])) }
    #expect(json?.refusal?.sqlState == "22P02")
    #expect(connection.isUsable)
    #expect(try connection.run(echo, .text("c"))[0].text(0) == "c")
  }

  @Test("A violated constraint is told by its name")
  func violation() throws {
    try connection.run(script: "CREATE TABLE t (id bigint CONSTRAINT only_one PRIMARY KEY)")
    let insert = Statement("insert", "INSERT INTO t VALUES ($1)")
    try connection.run(insert, .int(1))
    let error = #expect(throws: PostgresError.self) { try connection.run(insert, .int(1)) }
    #expect(error?.isUniqueViolation == true)
    #expect(error?.refusal?.constraint == "only_one")
  }

  @Test("A transaction whose body throws leaves nothing behind")
  func rollback() throws {
    struct Stop: Error {}
    try connection.run(script: "CREATE TABLE t (id bigint)")
    #expect(throws: Stop.self) {
      try connection.transaction {
        try connection.run(script: "INSERT INTO t VALUES (1)")
        throw Stop()
      }
    }
    try connection.transaction { try connection.run(script: "INSERT INTO t VALUES (2)") }
    #expect(try database.texts("SELECT id::text FROM t") == ["2"])
  }

  @Test("Without preparing, nothing is left in the session")
  func unprepared() throws {
    let connection = try Connection(url: database.url, prepares: false)
    let count = Statement("count", "SELECT count(*) FROM pg_prepared_statements WHERE $1")
    #expect(try connection.run(count, .bool(true))[0].int(0) == 0)
    #expect(try connection.run(count, .bool(false))[0].int(0) == 0)
    #expect(try self.connection.run(count, .bool(true))[0].int(0) == 1)
  }

  @Test("A statement that takes too long makes the server unreachable, not the program stuck")
  func slowStatement() throws {
    var timeouts = Timeouts()
    timeouts.statement = 0.2
    let connection = try database.connect(timeouts: timeouts)
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) { try connection.run(Statement("sleep", "SELECT pg_sleep(60)")) }
    #expect(Clock.monotonic - start < 10)
    #expect(error?.isUnreachable == true)
    #expect(!connection.isUsable)
    #expect(connection.loss == .overdue)
  }

  @Test("A statement may be allowed more time than others, and leaves them theirs; its failure leaves nothing behind")
  func extraTime() throws {
    var timeouts = Timeouts()
    timeouts.statement = 2
    let connection = try database.connect(timeouts: timeouts)
    let first = (statement: Statement("first", "SELECT 1"), parameters: [Parameter]())
    let sleep = Statement("sleep", "SELECT $1 FROM pg_sleep(3)")
    #expect(try connection.run(sleep, [.int(1)], after: first, extraSeconds: 20)[0].int(0) == 1)
    #expect(try connection.run(Statement("show", "SHOW statement_timeout"))[0].text(0) == "2s")
    let divide = Statement("divide", "SELECT 1 / $1")
    let error = #expect(throws: PostgresError.self) {
      try connection.run(divide, [.int(0)], after: first, extraSeconds: 20)
    }
    #expect(error?.refusal?.sqlState == "22012")
    #expect(try connection.run(divide, [.int(1)])[0].int(0) == 1)
  }

  @Test("A server that is stopped makes no statement wait longer than its timeout", arguments: [10, 8 << 20])
  func stoppedServer(size: Int) throws {
    var timeouts = Timeouts()
    timeouts.statement = 2
    let connection = try database.connect(timeouts: timeouts)
    let backend = pid_t(try connection.run(Statement("backend", "SELECT pg_backend_pid()"))[0].int(0))
    kill(backend, SIGSTOP)
    defer { kill(backend, SIGCONT) }
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) {
      try connection.run(Statement("take", "SELECT length($1)"), .bytes(Array(repeating: 0, count: size)))
    }
    #expect(Clock.monotonic - start < 10)
    #expect(error?.isUnreachable == true)
  }

  @Test("A connection that the server closes is found out before the next statement")
  func terminated() throws {
    let backend = try backend()
    try database.run("SELECT pg_terminate_backend(\(backend))")
    let deadline = Clock.monotonic + 10
    while connection.isUsable, Clock.monotonic < deadline { usleep(1000) }
    #expect(!connection.isUsable)
    let error = #expect(throws: PostgresError.self) { try connection.run(Statement("one", "SELECT 1")) }
    #expect(error?.isUnreachable == true)
  }

  @Test("A server that takes no writes counts as unreachable, and once a second it is worth while to look for another")
  func readOnly() throws {
    let start = Clock.monotonic
    let readOnly = try Connection(url: database.url + "&options=-c%20default_transaction_read_only%3Don")
    let isLost = poll(within: 10) {
      let error = #expect(throws: PostgresError.self) { try readOnly.run(script: "CREATE TABLE t ()") }
      #expect(error?.isUnreachable == true)
      return !readOnly.isUsable
    }
    #expect(isLost)
    #expect(Clock.monotonic - start >= 1)
  }

  @Test("A server whose disk is full counts as unreachable, but the connection goes on")
  func diskFull() throws {
    let error = #expect(throws: PostgresError.self) {
      try connection.run(script: "DO $$ BEGIN RAISE 'no space left on device' USING ERRCODE = '53100'; END $$")
    }
    #expect(error == .unreachable(reason: "no space left on device (53100)"))
    #expect(connection.isUsable)
    #expect(try connection.run(Statement("one", "SELECT 1"))[0].int(0) == 1)
  }

  @Test("A notification wakes the one who listens; without one the wait ends by itself")
  func notifications() throws {
    try connection.listen(to: "bell")
    #expect(try !connection.waitForNotification(seconds: 0.01))
    try database.run("NOTIFY bell; NOTIFY bell, 'again'")
    #expect(try connection.waitForNotification(seconds: 10))
    #expect(try !connection.waitForNotification(seconds: 0.01))
  }
}

extension PostgresError {
  var isUnreachable: Bool {
    if case .unreachable = self { true } else { false }
  }
}
