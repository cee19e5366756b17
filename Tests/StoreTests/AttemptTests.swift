import Delivery
import Host
import Store
import TestSupport
import Testing

@Suite("Attempts in the ledger")
struct AttemptTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 0])
    try tenant.admit(Tenant.match())
  }

  private func attempts() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT concat_ws(
        ' | ', attempt, verdict, coalesce(status::text, '-'), coalesce(answer, '-'), coalesce(reason, '-'),
        coalesce(round(extract(epoch FROM ended_at - started_at), 1)::text, '-'))
      FROM alert_delivery_attempts
      ORDER BY attempt
      """)
  }

  private func makeDue() throws {
    try tenant.database.run("UPDATE alert_deliveries SET next_attempt_at = now(), leased_until = NULL")
  }

  @Test("An attempt is written with its times, status, answer, verdict and reason")
  func written() throws {
    let outcomes: [(Outcome, Int?, String?)] = [
      (.waiting(milliseconds: 0, reason: "answered 503", recipients: nil), 503, "busy\0"),
      (.waiting(milliseconds: 0, reason: "no connection", recipients: nil), nil, nil),
      (.sent(remark: nil), 200, "ok"),
    ]
    let now = Clock.monotonic
    for (outcome, status, answer) in outcomes {
      let delivery = try #require(try tenant.store.lease().first)
      let settlement = delivery.settled(
        outcome, startedAt: now - 2, endedAt: now - 0.5, receiver: .answering, status: status, answer: answer)
      #expect(try tenant.store.settleDeliveries([settlement]) == 1)
    }
    #expect(
      try attempts() == [
        "1 | retry | 503 | busy\u{FFFD} | answered 503 | 1.5", "2 | retry | - | - | no connection | 1.5",
        "3 | sent | 200 | ok | - | 1.5",
      ])
    let age =
      "SELECT 'now' FROM alert_delivery_attempts WHERE now() - ended_at BETWEEN interval '0.5 s' AND interval '30 s'"
    #expect(try tenant.database.texts(age).count == 3)
  }

  @Test("The last attempt of a dead delivery was one to retry, and one of a refused delivery was rejected")
  func ends() throws {
    try tenant.admit(Tenant.match())
    let leased = try tenant.store.lease()
    try tenant.store.settleDeliveries([
      leased[0].settled(.dead(reason: "d")), leased[1].settled(.gone(reason: "g"), status: 410),
    ])
    let verdicts = "SELECT verdict || ' ' || reason FROM alert_delivery_attempts ORDER BY reason"
    #expect(try tenant.database.texts(verdicts) == ["retry d", "rejected g"])
  }

  @Test("The attempt of a lease that ran out is unknown, and its late settlement changes nothing")
  func unknown() throws {
    let first = try #require(try tenant.store.lease().first)
    try makeDue()
    let second = try #require(try tenant.store.lease().first)
    #expect(second.attempt == 2)
    let reason = "the process that made the attempt ended before it could write down what came of it"
    #expect(try attempts() == ["1 | unknown | - | - | \(reason) | -"])
    #expect(try tenant.store.settleDeliveries([first.settled(.sent(remark: nil), status: 200)]) == 0)
    #expect(try attempts().count == 1)
    #expect(try tenant.store.settleDeliveries([second.settled(.sent(remark: nil), status: 200)]) == 1)
    #expect(try attempts().count == 2)
  }

  @Test("So is that of a delivery that nobody is to get any more", arguments: ["skipped", "dead"])
  func unknownLast(state: String) throws {
    #expect(try tenant.store.lease().count == 1)
    try makeDue()
    if state == "skipped" {
      try tenant.database.run("UPDATE alert_providers SET enabled = false")
      let pager = ProviderKey(tenant: "acme", providerID: "pager")
      #expect(try tenant.store.skipDeliveries(of: [pager], limit: 10) == 1)
    } else {
      try tenant.database.run(
        """
        UPDATE alert_deliveries SET created_at = now() - interval '4 days';
        INSERT INTO alert_provider_health (tenant_id, provider_id, failures, open_until)
        VALUES ('acme', 'pager', 5, now() + interval '1 minute');
        """)
      #expect(try tenant.store.expireDeliveries(limit: 10) == 1)
    }
    #expect(try tenant.database.texts("SELECT state FROM alert_deliveries WHERE provider_id = 'pager'") == [state])
    #expect(try tenant.database.texts("SELECT verdict || attempt FROM alert_delivery_attempts") == ["unknown1"])
  }

  @Test("A test of a provider that was deleted is skipped")
  func testOfDeleted() throws {
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at)
      VALUES ('acme', 'deleted', 'test', 'pending', 'epoch')
      """)
    let deleted = ProviderKey(tenant: "acme", providerID: "deleted")
    #expect(try tenant.store.skipDeliveries(of: [deleted], limit: 10) == 1)
  }

  @Test("What tells of an alert that was never sent is skipped without an attempt")
  func moot() throws {
    let trigger = try #require(try tenant.store.lease().first)
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at)
      SELECT tenant_id, alert_id, provider_id, 'resolved', 'pending', now()
      FROM alert_deliveries
      """)
    // It waits for the trigger.
    #expect(try tenant.store.lease().isEmpty)
    try tenant.store.settleDeliveries([trigger.settled(.rejected(reason: "no"), status: 400)])
    let resolution = try #require(try tenant.store.lease().first)
    #expect(resolution.skipReason == "the alert itself has not been sent")
    try tenant.store.settleDeliveries([resolution.settled(.skipped(reason: "never sent"), receiver: .unknown)])
    let states = "SELECT state || ' ' || attempts FROM alert_deliveries ORDER BY event"
    #expect(try tenant.database.texts(states) == ["skipped 0", "failed 1"])
    #expect(try attempts().count == 1)
  }

  @Test("What follows an alert that was sent goes after it")
  func followed() throws {
    let trigger = try #require(try tenant.store.lease().first)
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at)
      SELECT tenant_id, alert_id, provider_id, 'acknowledged', 'pending', now() - interval '1 hour'
      FROM alert_deliveries
      """)
    #expect(try tenant.store.lease().isEmpty)
    try tenant.store.settleDeliveries([trigger.settled(.sent(remark: nil), receiver: .sent, status: 200)])
    #expect(try tenant.store.lease().map(\.skipReason) == [nil])
  }
}
