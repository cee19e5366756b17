import Glibc
import Host

/// Who keeps a copy of the write-ahead log of a test's server, as for a recovery to a point in time, and replays nothing of it. It and
/// the copy are gone when the test is.
package final class TestArchiver {
  private let folder: String
  private let program: Program

  /// Starts it.
  package init(of cluster: TestCluster) throws {
    folder = "/tmp/" + Identifier.make("archiver-")
    let command = """
      set -eu
      mkdir -m 700 "$0"
      [ "$(id -u)" != 0 ] || chown postgres "$0"
      cd /
      exec "$@" --directory="$0" --host=\(cluster.host) --username=tocsin --status-interval=1
      """
    program = try Program(
      "/bin/sh", arguments: ["-c", command, folder] + TestCluster.asOwner("pg_receivewal"),
      environment: ["PATH": "/usr/bin:/bin"])
  }

  deinit {
    program.signal(SIGINT)
    _ = program.ending()
    let removal = Result { try Program("/bin/rm", arguments: ["-rf", folder]).ending() }
    if case .success(.exit(0)) = removal { return }
    Log.error("a test's archiver is left behind", ["folder": folder])
  }
}
