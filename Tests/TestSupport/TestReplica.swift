import Glibc
import Postgres

/// A replica of a test's server. It is gone when the test is; its slot stays with the server.
package final class TestReplica {
  /// The name of its replication slot.
  package static let slot = "replica"

  private let folder: ServerFolder
  private let server: Program

  /// Makes a replica by a base backup, starts it and waits until it answers.
  package init(of cluster: TestCluster) throws {
    folder = try ServerFolder("replica")
    let making = try TestCluster.run(
      "pg_basebackup",
      [
        "--host=\(cluster.host)", "--username=tocsin", "--pgdata=\(folder.path)/data", "--write-recovery-conf",
        "--checkpoint=fast", "--create-slot", "--slot=\(Self.slot)",
      ])
    guard making.ending() == .exit(0) else {
      throw TestCluster.Failure(description: "no base backup: \(making.standardError)")
    }
    let options = [
      "listen_addresses=", "unix_socket_directories=\(folder.path)", "max_connections=\(TestCluster.connectionLimit)",
    ]
    server = try TestCluster.run("postgres", ["-D", folder.path + "/data"] + options.flatMap { ["-c", $0] })
    guard poll(until: { answers }) else {
      throw TestCluster.Failure(description: "no replica: \(server.standardError)")
    }
  }

  deinit {
    server.signal(SIGQUIT)
    _ = server.ending()
  }

  /// Has it fall behind.
  package func stopReplaying() throws { try connect().run(script: "SELECT pg_wal_replay_pause()") }

  private func connect() throws -> Connection {
    try Connection(url: "postgresql:///postgres?host=\(folder.path)&user=tocsin")
  }

  private var answers: Bool {
    do {
      _ = try connect()
      return true
    } catch {
      return false
    }
  }
}
