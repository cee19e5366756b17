import Glibc

/// Who keeps a copy of the write-ahead log of a test's server, as for a recovery to a point in time, and replays nothing of it. It and
/// the copy are gone when the test is.
package final class TestArchiver {
  private let folder: ServerFolder
  private let program: Program

  /// Starts it.
  package init(of cluster: TestCluster) throws {
    folder = try ServerFolder("archiver")
    let options = ["--directory=\(folder.path)", "--host=\(cluster.host)", "--username=tocsin", "--status-interval=1"]
    program = try TestCluster.run("pg_receivewal", options)
  }

  deinit {
    program.signal(SIGINT)
    _ = program.ending()
  }
}
