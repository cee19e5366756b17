import Glibc
import Host
import Postgres

/// A replica of a test's server. It is gone when the test is; its slot stays with the server.
package final class TestReplica {
  /// The name of its replication slot.
  package static let slot = "replica"

  private let folder: String
  private let server: Program

  /// Makes a replica by a base backup, starts it and waits until it answers.
  package init(of cluster: TestCluster) throws {
    folder = "/tmp/" + Identifier.make("replica-")
    let command = """
      set -eu
      mkdir -m 711 "$0"
      [ "$(id -u)" != 0 ] || chown postgres "$0"
      cd /
      "$@" --host=\(cluster.host) --username=tocsin --pgdata="$0/data" --write-recovery-conf --checkpoint=fast \
        --create-slot --slot=\(Self.slot)
      """
    let making = try Program(
      "/bin/sh", arguments: ["-c", command, folder] + TestCluster.asOwner("pg_basebackup"),
      environment: ["PATH": "/usr/bin:/bin"])
    guard making.ending() == .exit(0) else {
      throw TestCluster.Failure(description: "no base backup: \(making.standardError)")
    }
    let options = ["-c", "listen_addresses=", "-c", "unix_socket_directories=\(folder)", "-D", folder + "/data"]
    let connections = ["-c", "max_connections=\(TestCluster.connectionLimit)"]
    let words = TestCluster.asOwner("postgres") + options + connections
    server = try Program(words[0], arguments: Array(words.dropFirst()), environment: ["PATH": "/usr/bin:/bin"])
    guard poll(until: { answers }) else {
      throw TestCluster.Failure(description: "no replica: \(server.standardError)")
    }
  }

  deinit {
    server.signal(SIGQUIT)
    _ = server.ending()
    let removal = Result { try Program("/bin/rm", arguments: ["-rf", folder]).ending() }
    if case .success(.exit(0)) = removal { return }
    Log.error("a test's replica is left behind", ["folder": folder])
  }

  /// Has it fall behind.
  package func stopReplaying() throws { try connect().run(script: "SELECT pg_wal_replay_pause()") }

  private func connect() throws -> Connection {
    try Connection(url: "postgresql:///postgres?host=\(folder)&user=tocsin")
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
