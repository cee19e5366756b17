import TestSupport
import Testing

@Suite("What the job that delivers writes down and gives up") struct DeliverLedgerTests {
  let receiver: HTTPReceiver
  let outbox: Outbox

  init() throws {
    receiver = try HTTPReceiver()
    outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
  }

  private func attempts() throws -> [String] {
    try outbox.database.texts(
      """
      SELECT concat_ws(' ', attempt, verdict, status, coalesce(answer, '-'), ended_at >= started_at)
      FROM alert_delivery_attempts
      ORDER BY delivery_id, attempt
      """)
  }

  @Test("Each attempt is there with the receiver's words, but for the provider's secrets")
  func attemptsAreKept() throws {
    try outbox.makeWebhook("keyed", url: receiver.url + "/keyed", ["headers": ["Authorization": "Bearer s3cret-token"]])
    try receiver.answer(
      "/keyed", with: .init(503, body: Array("not you, s3cret-token".utf8)), .init(200, body: Array("thanks".utf8)))
    try outbox.start()
    try outbox.raise(for: "keyed")
    #expect(try outbox.deliveries(become: ["keyed sent 2"]) == ["keyed sent 2"])
    #expect(try attempts() == ["1 retry 503 not you, ******** t", "2 sent 200 thanks t"])
  }

  @Test(
    "A receiver that is gone has its provider switched off and what waits for it skipped; another provider hears of it")
  func gone() throws {
    try receiver.answer("/gone", with: .init(410))
    try outbox.makeWebhook("gone", url: receiver.url + "/gone")
    try outbox.start()
    try outbox.raise(for: "gone")
    #expect(try outbox.deliveries(become: ["gone failed 1: answered 410"]) == ["gone failed 1: answered 410"])
    #expect(try outbox.database.texts("SELECT provider_id FROM alert_providers WHERE NOT enabled") == ["gone"])
    let report = try #require(try receiver.waitForRequests(1, to: "/hook").first)
    #expect(String(decoding: report.body, as: UTF8.self).contains("Alerts do not reach gone"))
    try outbox.database.run(
      "UPDATE alert_deliveries SET state = 'pending', next_attempt_at = now() WHERE provider_id = 'gone'")
    let skipped = ["gone skipped 1: the provider is switched off or gone"]
    #expect(try outbox.deliveries(become: skipped) == skipped)
  }

  @Test("A receiver that is down is left alone after five failures")
  func breaker() throws {
    try receiver.answer("/down", with: .init(503))
    try outbox.makeWebhook("down", url: receiver.url + "/down")
    try outbox.raise(5, for: "down")
    try outbox.start()
    try poll(within: 30) { try attempts().count == 5 }
    try outbox.raise(20, for: "down")
    try outbox.raise(for: "hook")
    _ = try receiver.waitForRequests(1, to: "/hook")
    #expect(try receiver.requests(to: "/down").count == 5)
    #expect(try outbox.deliveries().filter { $0 == "down pending 0" }.count == 20)
    try outbox.database.run("UPDATE alert_provider_health SET open_until = now()")
    _ = try receiver.waitForRequests(6, to: "/down")
  }

  @Test("A delivery that the database refuses to lease or to settle is set aside, and costs no other its way")
  func poison() throws {
    try refuseUpdates(
      """
      NEW.provider_id = 'lease' AND NEW.lease_token IS NOT NULL AND NEW.recipients = '{poison}'
      OR NEW.provider_id = 'settle' AND NEW.last_status IS NOT NULL AND NEW.recipients = '{poison}'
      """)
    try outbox.makeWebhook("lease", url: receiver.url + "/lease")
    try outbox.makeWebhook("settle", url: receiver.url + "/settle")
    for provider in ["hook", "lease", "settle"] { try outbox.raise(5, for: provider) }
    try outbox.database.run(
      """
      UPDATE alert_deliveries
      SET recipients = '{poison}'
      WHERE delivery_id IN (SELECT DISTINCT ON (provider_id) delivery_id FROM alert_deliveries)
      """)
    let program = try outbox.start()
    try poll(within: 30) { try outbox.deliveries().allSatisfy { !$0.contains("pending") } }
    func reason(_ task: String) -> String {
      "the database cannot \(task) what belongs to this delivery: one of its own functions refuses (SQLSTATE P0001); "
        + "the log of deliver says more"
    }
    let states = try outbox.deliveries()
    #expect(states.filter { $0.hasPrefix("hook sent") }.count == 5)
    #expect(states.filter { $0 == "lease sent 1" }.count == 4)
    #expect(states.filter { $0 == "lease failed 1: \(reason("hand out"))" }.count == 1)
    #expect(states.filter { $0 == "settle sent 1" }.count == 4)
    #expect(states.filter { $0 == "settle sent 1: \(reason("write down"))" }.count == 1)
    #expect(try receiver.requests().count == 14)
    #expect(program.standardError.contains("a delivery was set aside"))
    let attempts = try outbox.database.texts(
      """
      SELECT concat_ws(' ', provider_id, attempt, verdict, status, reason = last_error, ended_at >= started_at)
      FROM alert_delivery_attempts
      JOIN alert_deliveries USING (tenant_id, delivery_id)
      WHERE recipients = '{poison}' AND provider_id <> 'hook'
      ORDER BY 1
      """)
    #expect(attempts == ["lease 1 rejected t t", "settle 1 sent 200 t t"])
  }

  /// Has the database refuse to change a delivery where this holds of what it would become.
  private func refuseUpdates(_ condition: String) throws {
    try outbox.database.run(
      """
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF \(condition) THEN
          RAISE EXCEPTION 'poison';
        END IF;
        RETURN NEW;
      END
      $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON alert_deliveries FOR EACH ROW EXECUTE FUNCTION refuse();
      """)
  }

  @Test("A delivery that the database does not even let fail costs no other its way")
  func stuck() throws {
    try refuseUpdates("NEW.provider_id = 'stuck'")
    try outbox.makeWebhook("stuck", url: receiver.url + "/stuck")
    let program = try outbox.start()
    try outbox.raise(3, for: "stuck")
    poll(within: 20) { program.standardError.contains("a delivery was set aside") }
    try outbox.raise(3, for: "hook")
    #expect(try receiver.waitForRequests(3, to: "/hook", within: 30).count == 3)
    #expect(try outbox.deliveries().filter { $0 == "stuck pending 0" }.count == 3)
  }

  @Test("Receivers that hang leave places to those that do not, however many they are")
  func manyHanging() throws {
    let names = (1...20).map { "hanging\($0)" }
    for name in names {
      try receiver.answer("/\(name)", with: .init(ending: .hang))
      try outbox.makeWebhook(name, url: receiver.url + "/\(name)", ["timeout": 100])
      try outbox.raise(40, for: name)
    }
    try outbox.start()
    try outbox.raise(60, for: "hook")
    #expect(try receiver.waitForRequests(60, to: "/hook", within: 30).count == 60)
  }
}
