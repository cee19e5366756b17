import Delivery
import Glibc
import Host
import Store
import TestSupport
import Testing

@Suite("The life of the job that delivers") struct DeliverLifeTests {
  let receiver: HTTPReceiver
  let outbox: Outbox

  init() throws {
    receiver = try HTTPReceiver()
    outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
  }

  @Test("It runs for its time and ends well")
  func time() throws {
    try outbox.raise(for: "hook")
    let program = try outbox.start(["ALERTING_DELIVER_SECONDS": "1"])
    #expect(program.ending(within: 20) == .exit(0))
    #expect(try outbox.deliveries() == ["hook sent 1"])
  }

  @Test("Asked to end, it finishes what it has begun and begins nothing more", arguments: [SIGTERM, SIGINT])
  func termination(signal: CInt) throws {
    try receiver.answer("/hook", with: .init(200, afterSeconds: 3))
    let program = try outbox.start()
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1)
    program.signal(signal)
    usleep(1_500_000)
    try outbox.raise(for: "hook")
    #expect(program.ending(within: 20) == .exit(0))
    #expect(try outbox.deliveries() == ["hook sent 1", "hook pending 0"])
  }

  @Test("What a killed one had begun is attempted again when its lease has ended")
  func killed() throws {
    try receiver.answer("/hook", with: .init(ending: .hang), .init(200))
    let program = try outbox.start()
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1)
    program.signal(SIGKILL)
    #expect(program.ending(within: 20) == .signal(SIGKILL))
    try outbox.start()
    #expect(try outbox.deliveries() == ["hook pending 1"])
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["hook sent 2"]) == ["hook sent 2"])
  }

  @Test("Several at once deliver everything, and nothing twice")
  func several() throws {
    for _ in 1...3 { try outbox.start() }
    for _ in 1...5 { try outbox.raise(60, for: "hook") }
    try poll(within: 60) { try outbox.deliveries().allSatisfy { $0 == "hook sent 1" } }
    let ids = try receiver.requests().compactMap { $0.headers["webhook-id"] }
    #expect(ids.count == 300)
    #expect(Set(ids).count == 300)
  }

  @Test("A database that goes away is waited for, and what was under way is settled when it is back")
  func outage() throws {
    try receiver.answer("/hook", with: .init(200, afterSeconds: 2), .init(200))
    let program = try outbox.start()
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1)
    let name = try #require(try outbox.database.texts("SELECT current_database()").first)
    try TestDatabase.interrupt(name) { usleep(4_000_000) }
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 1", "hook sent 1"]) == ["hook sent 1", "hook sent 1"])
    #expect(try receiver.requests().count == 2)
    #expect(program.ending(within: 0) == nil)
    #expect(program.standardError.contains("deliveries wait for the database"))
    #expect(program.standardError.contains("the database is back"))
  }

  @Test("A database that hangs is waited for, and what was under way meanwhile is written down when it goes on")
  func hang() throws {
    let cluster = try TestCluster()
    let outbox = try Outbox(authority: receiver.authority, on: TestDatabase(on: cluster))
    try outbox.makeWebhook(url: receiver.url + "/hook")
    try receiver.answer("/hook", with: .init(200, afterSeconds: 1), .init(200))
    let program = try outbox.start()
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1)
    try cluster.begin(.freeze)
    #expect(poll(within: 5) { program.standardError.contains("the server has stopped answering") })
    try cluster.end(.freeze)
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 1", "hook sent 1"]) == ["hook sent 1", "hook sent 1"])
    #expect(try receiver.requests().count == 2)
    #expect(program.standardError.contains("the database is back"))
  }

  @Test("What was sent is not sent again because its lease ends before the database lets that be written down")
  func lateSettlement() throws {
    try outbox.database.run(
      """
      CREATE SEQUENCE refusals;
      GRANT ALL ON SEQUENCE refusals TO PUBLIC;
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM nextval('refusals');
        RAISE EXCEPTION USING ERRCODE = 'disk_full';
      END
      $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON alert_deliveries FOR EACH ROW WHEN (NEW.state = 'sent') EXECUTE FUNCTION refuse();
      """)
    func isRefused(_ times: Int) throws -> Bool {
      try poll(within: 30) {
        try outbox.database.texts("SELECT 'x' FROM refusals WHERE last_value > \(times)") == ["x"]
      }
    }
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try isRefused(1))
    try outbox.database.run("UPDATE alert_deliveries SET leased_until = now(); SELECT setval('refusals', 100)")
    // It rings the bell: were the first to be leased again, it would be now.
    try outbox.raise(for: "hook")
    #expect(try isRefused(101))
    try outbox.database.run("DROP TRIGGER refuse ON alert_deliveries")
    #expect(try outbox.deliveries(become: ["hook sent 1", "hook sent 1"]) == ["hook sent 1", "hook sent 1"])
    #expect(try receiver.requests().count == 2)
  }

  @Test("A new alert leaves at once, not when the next look is due")
  func bell() throws {
    try outbox.start()
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1)
    for count in 2...10 {
      try outbox.raise(for: "hook")
      _ = try receiver.waitForRequests(count)
    }
    let latencies = try outbox.database.texts(
      "SELECT (extract(epoch FROM updated_at - created_at) * 1000)::integer::text FROM alert_deliveries ORDER BY created_at"
    )
    // Were it not for the bell, half of them would take more than half a second.
    #expect(latencies.dropFirst().compactMap(Int.init).sorted()[4] < 400)
  }

  @Test(
    "Settings that say nothing sensible are told in a sentence, and nothing begins",
    arguments: [
      ("ALERTING_OUTBOUND_ALLOW", "10.0.0.0/33"), ("ALERTING_DELIVER_SECONDS", "soon"), ("ALERTING_DATABASE_URL", ""),
      ("ALERTING_KEEP_COUNTS", "a year"), ("ALERTING_KEEP_DELIVERIES", "-1"),
    ])
  func invalidSettings(name: String, value: String) throws {
    let program = try outbox.start([name: value])
    #expect(program.ending(within: 20) == .exit(1))
    #expect(program.standardError.contains(name))
  }

  @Test("What has been kept for long enough is removed while deliveries go on, and what is kept for ever is not")
  func retention() throws {
    try outbox.raise(for: "hook")
    try outbox.database.run(
      """
      UPDATE alerts SET status = 'resolved';
      UPDATE alert_deliveries SET state = 'sent', updated_at = now() - interval '3 days';
      INSERT INTO alert_decision_counts VALUES ('acme', 'p', now() - interval '3 days', 'raised', 0, 1);
      """)
    try outbox.start(["ALERTING_KEEP_DELIVERIES": "2", "ALERTING_KEEP_COUNTS": "0"])
    #expect(try outbox.deliveries(become: []) == [])
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 1"]) == ["hook sent 1"])
    #expect(try outbox.database.texts("SELECT policy_id FROM alert_decision_counts WHERE policy_id = 'p'") == ["p"])
  }

  @Test("A delivery whose provider is sealed with a key that the host lacks waits for it, and then goes out")
  func missingKey() throws {
    let folder = try TemporaryFolder()
    let path = folder.path + "/master.key"
    try MasterKeys.make(at: path)
    let keys = try MasterKeys(path: path)
    let elsewhere = try File.read(path)
    try keys.change { $0.rotate() }
    let store = outbox.store
    store.masterKeys = keys
    let provider = try Provider(json: [
      "name": "sealed", "provider_type": "webhook",
      "config": ["url": .string(receiver.url + "/sealed"), "headers": ["X-Token": "s3cret-token"]],
    ])
    _ = try store.createProvider(tenant: "acme", id: "sealed", provider, by: "test")
    let whole = try File.read(path)
    try File.replace(path, with: elsewhere)
    let program = try outbox.start(["ALERTING_MASTER_KEY_FILE": path])
    try outbox.raise(for: "sealed")
    let reason = "its secrets are sealed with the key \(keys.keyring.ids[0])"
    #expect(try outbox.deliveries(afterAttempts: 1)[0].hasPrefix("sealed pending 1: \(reason)"))
    #expect(poll(within: 10) { program.standardError.contains(reason) })
    try File.replace(path, with: whole)
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["sealed sent 2"]) == ["sealed sent 2"])
    #expect(try receiver.requests(to: "/sealed").map { $0.headers["x-token"] } == ["s3cret-token"])
  }

  @Test("No secret of a provider gets into the log")
  func secrets() throws {
    try outbox.makeWebhook(
      "keyed", url: receiver.url + "/keyed?token=t0psecret", ["headers": ["Authorization": "Bearer s3cret-token"]])
    try receiver.answer("/keyed?token=t0psecret", with: .init(400, body: Array("wrong: s3cret-token".utf8)))
    let program = try outbox.start()
    try outbox.raise(for: "keyed")
    #expect(try outbox.deliveries(afterAttempts: 1) == ["keyed failed 1: answered 400: wrong: ********"])
    poll(within: 10) { program.standardError.contains("wrong") }
    #expect(program.standardError.contains("answered 400: wrong: ********"))
    #expect(!program.standardError.contains("s3cret") && !program.standardError.contains("t0psecret"))
  }
}
