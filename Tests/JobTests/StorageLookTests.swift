import Glibc
import Host
import JSON
import Spool
import TestSupport
import Testing

@Suite("What the storage checker sees beside whether the storage works") struct StorageLookTests {
  let database: TestDatabase
  let storage: CheckedStorage

  init() throws {
    database = try TestDatabase()
    try database.run("UPDATE alert_job_runs SET ran_at = now()")
    storage = try CheckedStorage(database.url)
  }

  private func warnings() throws -> [String] {
    try database.texts("SELECT unnest(warnings) FROM alert_job_runs WHERE job = 'check-storage'")
  }

  @Test("While all is well a heartbeat goes out, and with a warning or an outage it stays away")
  func heartbeat() throws {
    try storage.configure(["heartbeat_url": .string(storage.receiver.plainURL + "/beat"), "heartbeat_secs": 1])
    try storage.start()
    let beats = try storage.receiver.waitForRequests(3, to: "/beat")
    #expect(beats.allSatisfy { $0.method == "GET" && $0.body.isEmpty })
    try database.run("UPDATE alert_job_runs SET ran_at = now() - interval '181 seconds' WHERE job = 'deliver'")
    #expect(try poll(within: 20) { try warnings().contains { $0.hasPrefix("the job deliver has not run since ") } })
    usleep(1_500_000)
    let count = try storage.receiver.requests(to: "/beat").count
    usleep(3_000_000)
    #expect(try storage.receiver.requests(to: "/beat").count == count)
    try database.run("UPDATE alert_job_runs SET ran_at = now() WHERE job = 'deliver'")
    _ = try storage.receiver.waitForRequests(count + 2, to: "/beat")
    #expect(try warnings().isEmpty)
  }

  @Test("A storage that works though it cannot be looked at is worth a warning, and is no outage")
  func blindLook() throws {
    try database.run("ALTER TABLE alert_deliveries RENAME TO moved_deliveries")
    let checker = try storage.start()
    let isTold = poll(within: 20) { checker.standardError.contains("a look at the storage failed: ") }
    #expect(isTold, "\(checker.standardError)")
    #expect(!checker.standardError.contains("the storage cannot be used"))
  }

  @Test("The end of an outage tells how many events were kept outside the storage meanwhile")
  func eventsAffected() throws {
    let folder = storage.folder + "/spool"
    try storage.start()
    let name = try #require(database.url.firstMatch(of: #/tocsin_test_\w+/#)).output
    #expect(poll(within: 20) { access(folder, F_OK) == 0 })
    try TestDatabase.interrupt(String(name)) {
      let writer = SpoolWriter(SpoolFolder(folder, reserve: 0))
      for events in [1, 2] {
        let body = SpooledBody(
          tenant: "acme", sender: .key(digest: "0"), receivedAt: Clock.now * 1_000_000, isLines: true, events: events,
          bytes: Array("{}\n{}".utf8))
        _ = try writer.append(body)
      }
      _ = try storage.wasTold("U")
    }
    #expect(try storage.wasTold("UR"))
    let end = try #require(try storage.receiver.requests(to: "/hook").last)
    #expect(try JSONValue(parsing: end.body).object?["StorageRecovered"]?.object?["events_affected"] == 3)
  }

  @Test("A replica that is behind is a warning, and so is the slot of one that is gone")
  func replica() throws {
    let cluster = try TestCluster()
    let storage = try CheckedStorage(cluster.url)
    try storage.configure(["warn_replication_lag_secs": 1])
    func warns(of words: String) throws -> Bool {
      try poll(within: 30) {
        try StorageRuns.texts("SELECT unnest(warnings) FROM alert_job_runs", at: cluster.url).contains {
          $0.contains(words)
        }
      }
    }
    var replica: TestReplica? = try TestReplica(of: cluster)
    try storage.start()
    try replica?.stopReplaying()
    #expect(try warns(of: "the replica walreceiver is "))
    replica = nil
    #expect(try warns(of: "the replication slot \(TestReplica.slot) is not used"))
  }

  @Test("A disk that is filling up is a warning and no outage")
  func disk() throws {
    try storage.configure(["warn_free_percent": 100])
    let checker = try storage.start()
    #expect(try poll(within: 20) { try warnings().contains { $0.contains("% left") } })
    #expect(poll(within: 20) { checker.standardError.contains("the disk of \(storage.folder)") })
    usleep(3_000_000)
    #expect(try storage.told().values.allSatisfy(\.isEmpty))
    #expect(checker.standardError.split(separator: "\n").count { $0.contains("the disk of \(storage.folder)") } == 1)
  }

  @Test("A delivery that is late, and a replication slot that nobody uses, are warnings")
  func lateDelivery() throws {
    try storage.configure(["warn_delivery_delay_secs": 60])
    try database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('acme') ON CONFLICT DO NOTHING;
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES ('acme', 'hook', 'hook', 'webhook', true, '{}', 'test');
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at, created_at)
      VALUES ('acme', 'hook', 'test', 'pending', now() - interval '900 seconds', now() - interval '1 hour');
      """)
    try storage.start()
    #expect(try poll(within: 20) { try warnings().contains { $0.hasPrefix("a delivery has been due for 9") } })
    try database.run("UPDATE alert_deliveries SET leased_until = now() + interval '1 minute'")
    #expect(try poll(within: 20) { try warnings().isEmpty })
  }

  @Test("That the audit log does not get out is a warning, as long as its job runs")
  func export() throws {
    let store = database.store()
    try store.noteRun(of: "export-audit", on: "a")
    try store.noteWarnings(["nobody listens"], of: "export-audit", on: "a")
    try storage.start()
    let warning = "the job export-audit on a says that nobody listens"
    #expect(try poll(within: 20) { try warnings() == [warning] })
    try database.run("DELETE FROM alert_job_runs WHERE job = 'export-audit'")
    #expect(try poll(within: 20) { try warnings().isEmpty })
  }
}
