import Store
import TestSupport
import Testing

@Suite("What is kept, and for how long") struct RetentionTests {
  let database: TestDatabase
  let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
  }

  /// Removes what is older than so many days from all of a table; how many rows that were.
  @discardableResult
  private func remove(_ kept: Kept, days: Int = 10, limit: Int = 1000) throws -> Int {
    try store.remove(kept, days: days, in: 0..<1000, limit: limit).rows
  }

  /// An alert with one delivery to `hook`, and one to `pager` of another age, in these states.
  private func insert(
    alert: String, _ status: String, hook: String = "sent", days: Int, pager: String = "sent", pagerDays: Int? = nil
  ) throws {
    try database.run(
      """
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key, triggered_at,
        updated_at)
      VALUES ('acme', '\(alert)', 'p', 'high', '\(status)', 't', 'm', 's', '{}', '[]', now(), now());
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at, updated_at)
      VALUES
        (
          'acme', '\(alert)', 'hook', '\(hook)', now(), now() - interval '99 days', now() - interval '\(days) days'),
        (
          'acme', '\(alert)', 'pager', '\(pager)', now(), now() - interval '99 days',
          now() - interval '\(pagerDays ?? days) days');
      INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, started_at, verdict)
      SELECT tenant_id, delivery_id, 1, updated_at, 'sent'
      FROM alert_deliveries
      WHERE alert_id = '\(alert)';
      """)
  }

  private var deliveries: [String] {
    get throws { try database.texts("SELECT alert_id || ' ' || provider_id FROM alert_deliveries ORDER BY 1") }
  }

  @Test("A delivery goes when it has been settled for long enough, whatever came of it")
  func settled() throws {
    for (index, state) in ["sent", "failed", "dead", "skipped"].enumerated() {
      try insert(alert: "a\(index)", "resolved", hook: state, days: 11, pagerDays: 9)
    }
    try database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at, updated_at)
      VALUES ('acme', 'test', 'test', 'sent', now(), now() - interval '11 days')
      """)
    #expect(try remove(.deliveries) == 5)
    #expect(try deliveries == (0..<4).map { "a\($0) pager" })
    #expect(try remove(.deliveries) == 0)
  }

  @Test("What is pending stays, and so do the deliveries of its alert and of one that is open")
  func open() throws {
    try insert(alert: "active", "active", days: 99)
    try insert(alert: "taken", "acknowledged", days: 99)
    try insert(alert: "waiting", "resolved", days: 99, pager: "pending")
    try insert(alert: "suppressed", "suppressed", days: 99)
    #expect(try remove(.deliveries) == 2)
    #expect(
      try deliveries == ["active", "taken", "waiting"].flatMap { ["\($0) hook", "\($0) pager"] })
    try database.run("UPDATE alerts SET status = 'resolved'; UPDATE alert_deliveries SET state = 'sent'")
    #expect(try remove(.deliveries) == 6)
  }

  @Test("Attempts go with their age, but not those at a delivery that is still tried")
  func attempts() throws {
    try insert(alert: "a", "active", days: 11, pager: "pending")
    try insert(alert: "b", "resolved", days: 11, pagerDays: 9)
    #expect(try remove(.attempts) == 2)
    let left = """
      SELECT alert_id || ' ' || provider_id
      FROM alert_delivery_attempts
      JOIN alert_deliveries USING (tenant_id, delivery_id)
      ORDER BY 1
      """
    #expect(try database.texts(left) == ["a pager", "b pager"])
  }

  @Test("A decision is remembered for its days, and for as long as its alert is open")
  func decisions() throws {
    try insert(alert: "open", "active", days: 1)
    try insert(alert: "over", "resolved", days: 1)
    try database.run(
      """
      INSERT INTO alert_decisions (tenant_id, policy_id, event_id, decision, alert_id, decided_at)
      SELECT 'acme', 'p', coalesce(alert_id, 'none') || days, 'raised', alert_id, now() - days * interval '1 day'
      FROM unnest('{open,over,NULL}'::text[]) AS alert_id, unnest('{9,11}'::integer[]) AS days
      """)
    #expect(try remove(.decisions) == 2)
    #expect(
      try database.texts("SELECT event_id FROM alert_decisions ORDER BY 1") == ["none9", "open11", "open9", "over9"])
  }

  @Test("Marks of admissions go with their age")
  func marks() throws {
    try database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('acme');
      INSERT INTO alert_admission_marks (tenant_id, producer, sequence, marked_at)
      SELECT 'acme', gen_random_uuid(), days, now() - days * interval '1 day'
      FROM unnest('{9,11}'::integer[]) AS days
      """)
    #expect(try remove(.admissions) == 1)
    #expect(try database.texts("SELECT sequence::text FROM alert_admission_marks") == ["9"])
  }

  @Test("Counts go by their hour")
  func counts() throws {
    try database.run(
      """
      INSERT INTO alert_decision_counts (tenant_id, policy_id, hour, decision, slot, events)
      SELECT 'acme', 'p' || days, date_trunc('hour', now() - days * interval '1 day'), 'raised', 0, 1
      FROM unnest('{1,9,11,400}'::integer[]) AS days
      """)
    #expect(try remove(.counts) == 2)
    #expect(try database.texts("SELECT policy_id FROM alert_decision_counts ORDER BY 1") == ["p1", "p9"])
  }

  @Test("A throttle goes when it is in force no more, neither as it was nor as its policy has it today")
  func throttles() throws {
    try database.run(
      """
      INSERT INTO alert_throttles (
        tenant_id, policy_id, throttle_key, is_suppressed, asked, granted, throttle_minutes, max_alerts_per_hour, hour,
        hour_count, last_alert_at, alert_id)
      SELECT
        'acme', policy_id, '[]', false, 1, 1, minutes, 0, date_trunc('hour', now() - hour_days * interval '1 day'), 1,
        now() - days * interval '1 day', 'a'
      FROM (
        VALUES
          ('stale', 5, 11, 11), ('recent', 5, 9, 9), ('long', 11 * 1440 + 60, 11, 11), ('counting', 5, 11, 0),
          ('lengthened', 5, 11, 11), ('shortened', 5, 11, 11)
      ) AS key (policy_id, minutes, days, hour_days);
      INSERT INTO tenants (tenant_id) VALUES ('acme');
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        created_by)
      VALUES
        ('acme', 'lengthened', '{}', true, 'high', '{}', '{}', 20 * 1440, 0, 'test'),
        ('acme', 'shortened', '{}', true, 'high', '{}', '{}', 0, 0, 'test');
      """)
    #expect(try remove(.throttles) == 2)
    #expect(
      try database.texts("SELECT policy_id FROM alert_throttles ORDER BY 1")
        == ["counting", "lengthened", "long", "recent"])
  }

  @Test("No more is removed in one go than may be, nothing outside the stretch, and nothing that somebody else is at")
  func bounds() throws {
    try database.run(
      """
      INSERT INTO alert_decisions (tenant_id, policy_id, event_id, decision, decided_at)
      SELECT 'acme', 'p', 'e' || number, 'raised', now() - interval '11 days'
      FROM generate_series(1, 1000) AS number
      """)
    let pages = try #require(
      Int(database.texts("SELECT (pg_relation_size('alert_decisions') / 8192)::text")[0]))
    #expect(pages > 2)
    #expect(try remove(.decisions, limit: 10) == 10)
    let first = try store.remove(.decisions, days: 10, in: 0..<1, limit: 1000)
    #expect(first.blocks == pages && (1..<900).contains(first.rows))
    let other = try database.connect()
    try other.run(script: "BEGIN; SELECT FROM alert_decisions WHERE event_id = 'e1000' FOR UPDATE")
    #expect(try remove(.decisions) == 1000 - 10 - first.rows - 1)
    try other.run(script: "COMMIT")
    #expect(try remove(.decisions) == 1)
  }
}
