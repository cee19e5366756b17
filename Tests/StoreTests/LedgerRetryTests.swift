import Delivery
import Store
import TestSupport
import Testing

@Suite("Trying deliveries afresh")
struct LedgerRetryTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 0, "throttle_by": ["user"]])
  }

  @Test("Replays at once, beside those who deliver, take each delivery once and never fail")
  func concurrentReplays() throws {
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT 'acme', 'x', 'pager', 'dead', now()
      FROM generate_series(1, 3000)
      """)
    let url = tenant.database.url
    let retried = try onThreads(6) { number in
      let store = Store(url: url, timeouts: .patient)
      var replay = Replay()
      var retried = 0
      repeat {
        if number == 0 { _ = try store.lease(limit: 100, seconds: 60) }
        let result = try #require(try store.retryDeliveries(tenant: "acme", replay))
        retried += result.retried
        replay.after = result.next
      } while replay.after != nil
      return retried
    }
    #expect(retried.reduce(0, +) == 3000)
    #expect(try tenant.database.texts("SELECT DISTINCT state FROM alert_deliveries") == ["pending"])
  }

  @Test("A trigger that is tried afresh arrives before the resolution that was skipped for want of it")
  func order() throws {
    let alert = try #require(try tenant.admit(Tenant.match())[0].alertID)
    let trigger = try #require(try tenant.store.lease(limit: 1, seconds: 60).first)
    try tenant.database.run(
      """
      UPDATE alert_deliveries SET state = 'dead', leased_until = NULL, lease_token = NULL;
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at, created_at)
      VALUES ('acme', '\(alert)', 'pager', 'resolved', 'skipped', now(), now() + interval '1 s');
      UPDATE alerts SET status = 'resolved', resolved_at = now(), resolved_by = 'somebody';
      """)
    #expect(try tenant.store.retryDelivery(tenant: "acme", id: trigger.id, again: false) == .due)
    for event in [DeliveryEvent.triggered, .resolved] {
      let leased = try tenant.store.lease(limit: 10, seconds: 60)
      #expect(leased.map(\.event) == [event])
      let done = try #require(leased.first)
      try tenant.database.run("UPDATE alert_deliveries SET state = 'sent' WHERE delivery_id = '\(done.id)'")
    }
  }
}
