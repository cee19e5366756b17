import Glibc
import Host
import Postgres
import Store

/// A PostgreSQL server of a test's own, for the test to stop, to freeze and to bring back. Its database `postgres` has the schema.
package final class TestCluster {
  /// What may keep a server from answering.
  package enum Trouble: CaseIterable, Sendable {
    /// It is shut down in order.
    case shutdown
    /// It ends at once, and recovers when it starts.
    case crash
    /// All its processes are stopped in the midst of what they do, so that it accepts connections and never answers.
    case freeze
    /// Its connections end, and the process that would take up others is stopped.
    case frozenPostmaster
  }

  /// The most connections it takes.
  package static let connectionLimit = 60

  /// Where its database is.
  package let url: String
  /// The folder of its unix socket, as a URL names it for a host.
  package var host: String { folder }
  /// Its first process, the parent of all others.
  package var postmaster: pid_t { server?.pid ?? 0 }
  private let folder: String
  private var server: Program?

  /// Makes a server and starts it; on a disk of its own of so many megabytes where that is asked for, which takes root.
  package init(diskMegabytes: Int? = nil) throws {
    let parent = Environment["TOCSIN_TEST_INSTANCES"].map { $0 + "/.." } ?? "/tmp"
    folder = parent + "/" + Identifier.make("cluster-")
    url = "postgresql:///postgres?host=\(folder)&user=tocsin"
    let command = """
      set -eu
      mkdir -m 711 "$0"
      mkdir -m 700 "$0/data"
      \(diskMegabytes.map { "mount -t tmpfs -o mode=700,size=\($0)m tmpfs \"$0/data\"" } ?? "")
      [ "$(id -u)" != 0 ] || chown postgres "$0" "$0/data"
      "$@" --auth=trust --username=tocsin --encoding=UTF8 --locale=C.UTF-8 --no-sync -D "$0/data"
      """
    let making = try Program(
      "/bin/sh", arguments: ["-c", command, folder] + Self.asOwner("initdb"), environment: ["PATH": "/usr/bin:/bin"])
    guard making.ending() == .exit(0) else { throw Failure(description: "initdb failed: \(making.standardError)") }
    try start()
    _ = try Migrations(folder: TestDatabase.migrations).apply(to: Connection(url: url))
  }

  /// What went wrong with a server.
  package struct Failure: Error, CustomStringConvertible {
    /// In words.
    package let description: String
  }

  deinit {
    signalAll(SIGCONT)
    stop(by: SIGQUIT)
    let command = #"! mountpoint -q "$0/data" || umount "$0/data"; rm -rf "$0""#
    let removal = Result {
      try Program("/bin/sh", arguments: ["-c", command, folder], environment: ["PATH": "/usr/bin:/bin"]).ending()
    }
    if case .success(.exit(0)) = removal { return }
    Log.error("a test's server is left behind", ["folder": folder])
  }

  /// One of PostgreSQL's programs, run as the account that may: never as root.
  static func run(_ program: String, _ options: [String]) throws -> Program {
    let words = asOwner(program) + options
    return try Program(words[0], arguments: Array(words.dropFirst()), environment: ["PATH": "/usr/bin:/bin"])
  }

  /// The words that do that. The folder that a test is run in may be closed to the account.
  private static func asOwner(_ program: String) -> [String] {
    let newest = "cd / && exec /usr/lib/postgresql/$(ls /usr/lib/postgresql | sort -V | tail -n 1)/bin/"
    let account = getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    return account + ["/bin/sh", "-c", newest + program + #" "$@""#, program]
  }

  /// Starts it and waits until it takes connections.
  package func start() throws {
    let options = [
      "listen_addresses=", "unix_socket_directories=\(folder)", "max_connections=\(Self.connectionLimit)", "fsync=off",
    ]
    let program = try Self.run("postgres", ["-D", folder + "/data"] + options.flatMap { ["-c", $0] })
    server = program
    let isUp = poll {
      if program.hasEnded { return true }
      do {
        _ = try Connection(url: url)
        return true
      } catch {
        return false
      }
    }
    guard isUp, !program.hasEnded else { throw Failure(description: "no server: \(program.standardError)") }
  }

  /// Ends it by a signal: SIGINT as a shutdown in order, SIGQUIT at once, SIGKILL without its knowing.
  package func stop(by number: CInt) {
    server?.signal(number)
    _ = server?.ending()
    server = nil
  }

  /// Brings trouble about.
  package func begin(_ trouble: Trouble) throws {
    switch trouble {
    case .shutdown: stop(by: SIGINT)
    case .crash: stop(by: SIGQUIT)
    case .freeze: signalAll(SIGSTOP)
    case .frozenPostmaster:
      let connection = try Connection(url: url)
      server?.signal(SIGSTOP)
      try connection.run(
        script: """
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()
          """)
    }
  }

  /// Ends the trouble.
  package func end(_ trouble: Trouble) throws {
    switch trouble {
    case .shutdown, .crash: try start()
    case .freeze, .frozenPostmaster: signalAll(SIGCONT)
    }
  }

  /// Has all transactions read only, or no longer.
  package func setReadOnly(_ isReadOnly: Bool) throws {
    let connection = try Connection(url: url)
    try connection.run(script: "SET default_transaction_read_only = off")
    try connection.run(script: "ALTER SYSTEM SET default_transaction_read_only = \(isReadOnly)")
    try connection.run(script: "SELECT pg_reload_conf()")
  }

  /// Leaves no byte on its disk.
  package func fillDisk() throws {
    let command = #"dd if=/dev/zero of="$0" bs=64k; test -s "$0""#
    let filling = try Program(
      "/bin/sh", arguments: ["-c", command, folder + "/data/filling"], environment: ["PATH": "/usr/bin:/bin"])
    guard filling.ending() == .exit(0) else {
      throw Failure(description: "cannot fill a disk: \(filling.standardError)")
    }
  }

  /// Gives its disk the room back.
  package func clearDisk() { unlink(folder + "/data/filling") }

  /// What it has logged.
  package var log: String { server?.standardError ?? "" }

  private func signalAll(_ number: CInt) {
    guard let server, !server.hasEnded else { return }
    for process in [server.pid] + children(of: server.pid) { kill(process, number) }
  }

  private func children(of process: pid_t) -> [pid_t] {
    do {
      let list = try File.read("/proc/\(process)/task/\(process)/children")
      return String(decoding: list, as: UTF8.self).split(separator: " ").compactMap { pid_t($0) }
    } catch {
      return []
    }
  }
}
