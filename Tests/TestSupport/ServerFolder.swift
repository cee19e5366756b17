import Glibc
import Host

/// A folder of the account that PostgreSQL's programs run as, which goes with it and all that is in it.
final class ServerFolder {
  /// Where it is. Anybody may look for a socket there.
  let path: String

  init(_ name: String) throws {
    path = "/tmp/" + Identifier.make(name + "-")
    let command = #"set -eu; mkdir -m 711 "$0"; [ "$(id -u)" != 0 ] || chown postgres "$0""#
    let making = try Program(
      "/bin/sh", arguments: ["-c", command, path], environment: ["PATH": "/usr/bin:/bin"])
    guard making.ending() == .exit(0) else {
      throw TestCluster.Failure(description: "no folder: \(making.standardError)")
    }
  }

  deinit {
    let removal = Result { try Program("/bin/rm", arguments: ["-rf", path]).ending() }
    if case .success(.exit(0)) = removal { return }
    Log.error("a test's folder is left behind", ["path": path])
  }
}
