import Glibc
import Host
import Postgres
import TestSupport
import Testing

@Suite("A server that stops answering")
struct HangTests {
  let cluster: TestCluster
  let connection: Connection

  init() throws {
    cluster = try TestCluster()
    connection = try Connection(url: cluster.url)
  }

  @Test("A statement on a server that has stopped is given up long before its timeout")
  func stopped() throws {
    try cluster.begin(.freeze)
    defer { #expect(throws: Never.self) { try cluster.end(.freeze) } }
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) { try connection.run(Statement("one", "SELECT 1")) }
    #expect(Clock.monotonic - start < 5)
    #expect(error == .unreachable(reason: "the server has stopped answering"))
    #expect(connection.loss == .lifeless)
  }

  @Test("A server that stops in the midst of a statement is noticed as soon")
  func stoppedLater() throws {
    let sleep = Statement("sleep", "SELECT pg_sleep(60)")
    let pid = pid_t(try connection.run(Statement("backend", "SELECT pg_backend_pid()"))[0].int(0))
    let freezing = try Program("/bin/sh", arguments: ["-c", "/bin/sleep 2; kill -STOP \(cluster.postmaster) \(pid)"])
    defer { for process in [cluster.postmaster, pid] { kill(process, SIGCONT) } }
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) { try connection.run(sleep) }
    #expect(error == .unreachable(reason: "the server has stopped answering"))
    #expect((2..<10).contains(Clock.monotonic - start))
    #expect(freezing.ending() == .exit(0))
  }

  @Test("A statement that is slow on a server that lives may take its time, and nothing is logged of the looks at it")
  func slow() throws {
    let log = cluster.log
    let start = Clock.monotonic
    try connection.run(Statement("sleep", "SELECT pg_sleep(4)"))
    #expect(Clock.monotonic - start >= 4)
    #expect(cluster.log == log)
  }

  @Test("A statement that is slow on a full server may take its time")
  func slowOnFull() throws {
    var others: [Connection] = []
    #expect(throws: PostgresError.self) {
      for _ in 0...TestCluster.connectionLimit { others.append(try Connection(url: cluster.url)) }
    }
    try connection.run(Statement("sleep", "SELECT pg_sleep(3)"))
    #expect(others.count > 20)
  }

  @Test("A connection whose server has been killed is lost at once")
  func killed() throws {
    cluster.stop(by: SIGKILL)
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) { try connection.run(Statement("sleep", "SELECT pg_sleep(9)")) }
    #expect(Clock.monotonic - start < 8)
    #expect(error?.isUnreachable == true)
  }

  @Test("Of several hosts, one that hangs and one that takes no writes do not keep from the one that does")
  func severalHosts() throws {
    let other = try TestCluster()
    let hosts = "host=/nonexistent,\(cluster.host),\(other.host)&user=tocsin&target_session_attrs="
    func name(_ wanted: String) throws -> String {
      // Shared among the hosts.
      var timeouts = Timeouts()
      timeouts.connect = 12
      let connection = try Connection(url: "postgresql:///postgres?" + hosts + wanted, timeouts: timeouts)
      return try connection.run(Statement("where", "SHOW unix_socket_directories"))[0].text(0)
    }
    #expect(try name("any") == cluster.host)
    try cluster.setReadOnly(true)
    #expect(try poll(within: 60) { try name("read-write") == other.host })
    #expect(try name("prefer-standby") == cluster.host)
    try cluster.setReadOnly(false)
    try cluster.begin(.freeze)
    #expect(try name("any") == other.host)
    #expect(try name("read-write") == other.host)
    try cluster.end(.freeze)
  }
}
