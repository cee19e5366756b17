import Glibc
import Postgres
import Store
import Testing
import TestSupport

@Suite("What the storage shows of itself")
struct StorageSightTests {
  @Test("Who archives the log and replays nothing is behind by what is not written, not by what is not replayed")
  func archiver() throws {
    let cluster = try TestCluster()
    let store = Store(url: cluster.url, as: .checkStorage)
    let connection = try Connection(url: cluster.url)
    let unreplayed = Statement(
      "unreplayed",
      """
      SELECT coalesce(extract(epoch FROM max(replay_lag)), 0)::bigint
      FROM pg_stat_replication
      """)
    let archiver = try TestArchiver(of: cluster)
    let isTold = try poll {
      try connection.run(script: "SELECT pg_logical_emit_message(false, 'test', 'test')")
      guard try connection.run(unreplayed).contains(where: { $0.int(0) > 5 }) else { return false }
      let replicas = try store.storageSight().replicas
      return replicas.map(\.name) == ["pg_receivewal"] && replicas.allSatisfy { ($0.lagSeconds ?? 0) <= 2 }
    }
    withExtendedLifetime(archiver) {}
    #expect(isTold)
  }
}
