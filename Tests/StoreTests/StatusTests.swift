import Store
import TestSupport
import Testing

@Suite("Status")
struct StatusTests {
  let database: TestDatabase

  init() throws { database = try TestDatabase() }

  @Test("Each tenant's policies, alerts, deliveries and decisions of this hour are counted apart")
  func counts() throws {
    try database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('busy'), ('idle');
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key, triggered_at,
        updated_at)
      SELECT 'busy', 'alert-' || status, 'p', 'high', status, '', '', '', '{}', '[]', now(), now()
      FROM unnest(ARRAY['active', 'resolved', 'suppressed']) AS status;
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at)
      SELECT 'busy', 'alert-active', state, state, now(), now() - interval '90 seconds'
      FROM unnest(ARRAY['pending', 'sent', 'failed', 'dead', 'skipped']) AS state;
      INSERT INTO alert_decision_counts (tenant_id, policy_id, hour, decision, slot, events)
      SELECT 'busy', policy_id, hour, 'throttled', 0, 3
      FROM unnest(ARRAY['p', 'q']) AS policy_id,
        unnest(ARRAY[date_trunc('hour', now(), 'UTC'), date_trunc('hour', now(), 'UTC') - interval '1 hour']) AS hour;
      """)
    let status = try database.store().status()
    #expect(status.map(\.tenant) == ["busy", "idle"])
    let busy = status[0]
    #expect(busy.activeAlerts == 1)
    #expect(busy.pendingDeliveries == 1)
    #expect((90..<150).contains(busy.oldestPendingSeconds))
    #expect(busy.lostDeliveries == 2)
    #expect(busy.decisionsThisHour == ["throttled": 6])
    let idle = status[1]
    #expect(idle.enabledPolicies == 0 && idle.activeAlerts == 0 && idle.pendingDeliveries == 0)
    #expect(idle.oldestPendingSeconds == 0 && idle.lostDeliveries == 0 && idle.decisionsThisHour == [:])
  }

  @Test("What a database lacks of the migrations is told without changing it")
  func missingMigrations() throws {
    let migrations = try Migrations(folder: TestDatabase.migrations)
    let empty = try TestDatabase(isEmpty: true)
    #expect(try migrations.missing(from: empty.connect()) == migrations.all)
    #expect(try empty.texts("SELECT relname::text FROM pg_class WHERE relname = 'schema_migrations'") == [])
    #expect(try migrations.missing(from: database.connect()) == [])
  }
}
