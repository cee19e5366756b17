import Glibc
import Host
import JSON
import TestSupport
import Testing

@Suite("The storage checker while PostgreSQL comes and goes") struct StorageOutageTests {
  /// A way for a server to be out, and the way back.
  private struct Way: Sendable {
    let name: String
    let leave: @Sendable (TestCluster) throws -> Void
    let comeBack: @Sendable (TestCluster) throws -> Void
    /// What the error says.
    let error: String
  }

  private static let ways = [
    Way(name: "stopped, fast", leave: { $0.stop(by: SIGINT) }, comeBack: { try $0.start() }, error: "connection to"),
    Way(
      name: "stopped, immediate", leave: { $0.stop(by: SIGQUIT) }, comeBack: { try $0.start() },
      error: "connection to"),
    Way(name: "killed", leave: { $0.stop(by: SIGKILL) }, comeBack: { try $0.start() }, error: "connection to"),
    Way(
      name: "held by SIGSTOP", leave: { try $0.begin(.freeze) }, comeBack: { try $0.end(.freeze) },
      error: "no answer"),
    Way(
      name: "read-only", leave: { try $0.setReadOnly(true) }, comeBack: { try $0.setReadOnly(false) },
      error: "read-only transaction"),
  ]

  @Test("Each way to be out, all inside one cool-down, is one pair at every hook")
  func everyWay() throws {
    let server = try TestCluster()
    let storage = try CheckedStorage(server.url)
    try storage.start()
    #expect(try poll(within: 20) { try !runs(storage).isEmpty })
    var table: [(String, String, Double)] = []
    var expected = ""
    for way in Self.ways {
      let start = Clock.monotonic
      try way.leave(server)
      expected += "U"
      #expect(try storage.wasTold(expected), "\(way.name)")
      let alerted = Clock.monotonic - start
      try way.comeBack(server)
      expected += "R"
      #expect(try storage.wasTold(expected), "\(way.name)")
      table.append((way.name, try lastError(storage), alerted))
      #expect(table.last?.1.contains(way.error) == true, "\(way.name): \(table.last?.1 ?? "")")
      #expect(alerted < 15, "a server that hangs counts as out within seconds")
    }
    for (name, error, seconds) in table {
      print("\(name) | alerted after \((seconds * 10).rounded() / 10) s | \(error)")
    }
    print("every hook was told \(expected): \(try storage.told())")
    try checkForm(storage)
  }

  /// Where mounting is not allowed, nothing else fills a disk in the same way.
  private static let canMount = geteuid() == 0 && access("/bin/mount", X_OK) == 0

  @Test("A disk without a free byte is an outage, though the row of the probe has its room", .enabled(if: canMount))
  func fullDisk() throws {
    let server = try TestCluster(diskMegabytes: 160)
    let storage = try CheckedStorage(server.url)
    try storage.start()
    #expect(try poll(within: 20) { try !runs(storage).isEmpty })
    try server.fillDisk()
    #expect(try storage.wasTold("U"))
    #expect(try lastError(storage).contains("No space left on device"))
    server.clearDisk()
    #expect(try storage.wasTold("UR"))
    print("disk full (tmpfs) | \(try lastError(storage)) | \(try storage.told())")
  }

  @Test("Where there is no room to keep events either, people are told at once")
  func fullSpool() throws {
    let server = try TestCluster()
    let storage = try CheckedStorage(server.url)
    try storage.configure(["threshold_secs": 3600])
    try storage.start(["ALERTING_SPOOL_RESERVE": "1000000"])
    #expect(try poll(within: 20) { try !runs(storage).isEmpty })
    server.stop(by: SIGINT)
    #expect(try storage.wasTold("U"))
    #expect(try lastError(storage).hasPrefix("events are refused, for there is no room left to keep them: "))
    try server.start()
    #expect(try storage.wasTold("UR"))
  }

  /// The receivers that were written for these events read them by their names.
  private func checkForm(_ storage: CheckedStorage) throws {
    let requests = try storage.receiver.requests(to: "/hook")
    for request in requests {
      #expect(try StandardWebhooks.verdict(on: request, secret: CheckedStorage.secret) == "accepted")
    }
    let events = try requests.prefix(2).map { try JSONValue(parsing: $0.body).object }
    let unreachable = events[0]?["StorageUnreachable"]?.object
    #expect(
      unreachable?.members.map(\.key)
        == ["first_failure_at", "consecutive_failures", "unreachable_duration_secs", "last_error", "service_name"])
    #expect(unreachable?["service_name"] == "audit")
    #expect(unreachable?["first_failure_at"]?.string?.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/#) != nil)
    let recovered = events[1]?["StorageRecovered"]?.object
    #expect(
      recovered?.members.map(\.key)
        == ["outage_started_at", "recovered_at", "outage_duration_secs", "events_affected", "service_name"])
    #expect(recovered?["outage_started_at"] == unreachable?["first_failure_at"])
    #expect(recovered?["events_affected"] == 0)
    let keys = try storage.incidents().compactMap { $0["dedup_key"]?.string }
    #expect(stride(from: 0, to: keys.count - 1, by: 2).allSatisfy { keys[$0] == keys[$0 + 1] })
    #expect(Set(keys).count == keys.count / 2)
  }

  private func lastError(_ storage: CheckedStorage) throws -> String {
    let events = try storage.receiver.requests(to: "/hook").compactMap { try JSONValue(parsing: $0.body).object }
    return events.compactMap { $0["StorageUnreachable"]?.object?["last_error"]?.string }.last ?? ""
  }

  /// A line for each probe that has written.
  private func runs(_ storage: CheckedStorage) throws -> [String] {
    try StorageRuns.texts(
      "SELECT host FROM alert_job_runs WHERE job = 'check-storage' AND token IS NOT NULL", at: storage.databaseURL)
  }
}
