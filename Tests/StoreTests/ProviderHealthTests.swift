import Delivery
import JSON
import Matching
import Store
import TestSupport
import Testing

@Suite("How receivers are doing")
struct ProviderHealthTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager", "other", "third")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 0])
  }

  private func raise(_ count: Int) throws {
    try tenant.admit((0..<count).map { _ in Tenant.match() })
  }

  private func fail(_ delivery: LeasedDelivery) -> Settlement {
    delivery.settled(.waiting(milliseconds: 0, reason: "no connection", recipients: nil), receiver: .down)
  }

  private func health() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT concat_ws(
        ' ', failures, coalesce(round(extract(epoch FROM open_until - now()) / 30)::text, '-'), failing_since IS NOT NULL)
      FROM alert_provider_health
      WHERE provider_id = 'pager'
      """)
  }

  /// Lets the time run out until which the breaker is open.
  private func waitForProbe() throws {
    try tenant.database.run("UPDATE alert_provider_health SET open_until = now() - interval '1 second'")
  }

  @Test("A healthy provider leaves no row, and a few failures open nothing")
  func closed() throws {
    try raise(10)
    let leased = try tenant.store.lease(limit: 6)
    try tenant.store.settleDeliveries(leased[..<2].map { $0.settled(.sent(remark: nil), receiver: .sent) })
    #expect(try health() == [])
    try tenant.store.settleDeliveries(leased[2...].map(fail))
    #expect(try health() == ["4 - t"])
    #expect(try tenant.store.lease().count == 8)
  }

  @Test("Five failures in a row open the breaker, whoever makes them, and nothing more is leased")
  func opens() throws {
    try raise(10)
    let leased = try tenant.store.lease(limit: 7)
    for delivery in leased[..<5] { try tenant.store.settleDeliveries([fail(delivery)]) }
    #expect(try health() == ["5 1 t"])
    #expect(try tenant.store.dueProviders(after: nil, limit: 9).map(\.isDue) == [false])
    let room = ProviderRoom(provider: ProviderKey(tenant: "acme", providerID: "pager"), room: 9)
    #expect(try tenant.store.leaseDeliveries(of: [room], seconds: 60).isEmpty)
    // What was under way says nothing new.
    try tenant.store.settleDeliveries(leased[5...].map(fail))
    #expect(try health() == ["5 1 t"])
  }

  @Test("Then one probe goes alone; while it fails the breaker stays open for longer and longer, up to five minutes")
  func probes() throws {
    try raise(10)
    try tenant.store.settleDeliveries(try tenant.store.lease(limit: 5).map(fail))
    for expected in ["6 2 t", "7 4 t", "8 8 t", "9 10 t", "10 10 t"] {
      try waitForProbe()
      let probe = try tenant.store.lease()
      #expect(probe.map(\.isProbe) == [true])
      #expect(try tenant.store.lease().isEmpty)
      try tenant.store.settleDeliveries(probe.map(fail))
      #expect(try health() == [expected])
    }
  }

  @Test("A probe that gets an answer closes the breaker, and one that is sent ends the outage")
  func closes() throws {
    try raise(10)
    try tenant.store.settleDeliveries(try tenant.store.lease(limit: 5).map(fail))
    try waitForProbe()
    let probe = try #require(try tenant.store.lease().first)
    try tenant.store.settleDeliveries([
      probe.settled(.waiting(milliseconds: 60_000, reason: "429", recipients: nil), status: 429)
    ])
    #expect(try health() == ["0 - t"])
    let leased = try tenant.store.lease()
    #expect(leased.count == 9)
    try tenant.store.settleDeliveries([leased[0].settled(.sent(remark: nil), receiver: .sent)])
    #expect(try health() == ["0 - f"])
  }

  @Test("A probe whose process dies gives way to the next when its lease has ended")
  func lostProbe() throws {
    try raise(10)
    try tenant.store.settleDeliveries(try tenant.store.lease(limit: 5).map(fail))
    try waitForProbe()
    #expect(try tenant.store.lease().count == 1)
    try waitForProbe()
    #expect(try tenant.store.lease().map(\.isProbe) == [true])
  }

  @Test("What is due at the epoch goes past an open breaker")
  func urgent() throws {
    try raise(6)
    try tenant.store.settleDeliveries(try tenant.store.lease(limit: 5).map(fail))
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at)
      VALUES ('acme', 'pager', 'test', 'pending', 'epoch')
      """)
    let leased = try tenant.store.lease()
    #expect(leased.map(\.isProbe) == [false])
    #expect(leased.first?.notice.title == "Test of provider pager")
    #expect(leased.first?.notice.policyID == "provider-test")
  }

  @Test("A receiver that asks to be left alone is, by all its deliveries")
  func paused() throws {
    try raise(3)
    let delivery = try #require(try tenant.store.lease(limit: 1).first)
    let outcome = Outcome.waiting(milliseconds: 7_200_000, reason: "429", recipients: nil)
    try tenant.store.settleDeliveries([delivery.settled(outcome, status: 429, pauseSeconds: 7200)])
    #expect(try tenant.store.lease().isEmpty)
    try tenant.database.run("UPDATE alert_provider_health SET paced_until = paced_until - interval '2 hours'")
    #expect(try tenant.store.lease().count == 2)
  }

  @Test("A provider with a pace gets a small burst, then one at a time", arguments: [("slack", 3), ("pagerduty", 5)])
  func paced(type: String, burst: Int) throws {
    let config = type == "slack" ? #"{"webhook_url": "https://example.com/a"}"# : #"{"api_key": "0123456789"}"#
    try tenant.database.run(
      "UPDATE alert_providers SET provider_type = '\(type)', config = '\(config)' WHERE provider_id = 'pager'")
    try raise(30)
    #expect(try tenant.store.lease().count == burst)
    func pass(seconds: Double) throws {
      try tenant.database.run(
        "UPDATE alert_provider_health SET paced_until = paced_until - interval '\(seconds) seconds'")
    }
    // An hour more than the time that the test itself takes.
    try pass(seconds: -3600)
    #expect(try tenant.store.lease().isEmpty)
    try tenant.database.run(
      "UPDATE alert_provider_health SET paced_until = now() - interval '\(type == "slack" ? 1000 : 500) milliseconds'")
    // Here that time may let one more through.
    #expect((2...3).contains(try tenant.store.lease().count))
    try pass(seconds: 3600)
    #expect(try tenant.store.lease().count == burst)
  }

  @Test("A message more within an attempt has its turn behind all that were counted, unless that is too late")
  func turns() throws {
    let pager = ProviderKey(tenant: "acme", providerID: "pager")
    try tenant.database.run(
      """
      INSERT INTO alert_provider_health (tenant_id, provider_id, paced_until)
      VALUES ('acme', 'pager', date_trunc('second', now()) + interval '1 hour')
      """)
    func moment() throws -> [String] {
      try tenant.database.texts("SELECT extract(epoch FROM paced_until)::bigint::text FROM alert_provider_health")
    }
    let first = try #require(try moment().first.flatMap(Int.init))
    #expect(try tenant.store.reserveTurn(of: pager, .webhook, within: 7200) == nil)
    #expect(try tenant.store.reserveTurn(of: pager, .slack, within: 1800) == nil)
    #expect(try moment() == ["\(first)"])
    let seconds = try #require(try tenant.store.reserveTurn(of: pager, .slack, within: 7200))
    #expect((3000...3600).contains(seconds))
    #expect(try moment() == ["\(first + 1)"])
    try tenant.database.run("UPDATE alert_provider_health SET paced_until = now() - interval '1 hour'")
    #expect(try tenant.store.reserveTurn(of: pager, .slack, within: 30) == 0)
    #expect(try (first - 3610...first - 3000).contains(#require(try moment().first.flatMap(Int.init))))
  }

  @Test("The burst is one for all processes that begin at once")
  func pacedTogether() throws {
    try tenant.database.run(
      """
      UPDATE alert_providers
      SET provider_type = 'slack', config = '{"webhook_url": "https://example.com/a"}'
      WHERE provider_id = 'pager'
      """)
    try raise(50)
    let url = tenant.database.url
    let counts = try onThreads(8) { _ in try Store(url: url, timeouts: .patient).lease(limit: 10).count }
    #expect((3...4).contains(counts.reduce(0, +)))
  }

  private func reports() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT alert.title || ': ' || string_agg(provider_id, ' ' ORDER BY provider_id)
      FROM alerts AS alert
      JOIN alert_deliveries USING (tenant_id, alert_id)
      WHERE policy_id = 'delivery-failure'
      GROUP BY alert.alert_id, alert.title
      ORDER BY 1
      """)
  }

  @Test("The first lost delivery of an outage is told to the tenant's other providers, and the next outage again")
  func reported() throws {
    try raise(4)
    let leased = try tenant.store.lease()
    try tenant.store.settleDeliveries([
      leased[0].settled(.rejected(reason: "answered 401"), status: 401), leased[1].settled(.dead(reason: "d")),
    ])
    try tenant.store.settleDeliveries([leased[2].settled(.dead(reason: "d"))])
    #expect(try reports() == ["Alerts do not reach pager: other third"])
    try tenant.store.settleDeliveries([leased[3].settled(.sent(remark: nil), receiver: .sent, status: 200)])
    try raise(1)
    let next = try #require(try tenant.store.lease().first { $0.providerID == "pager" })
    try tenant.store.settleDeliveries([next.settled(.dead(reason: "d"))])
    #expect(try reports().count == 2)
  }

  @Test("A test that fails is told to nobody else")
  func testNotReported() throws {
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at)
      VALUES ('acme', 'pager', 'test', 'pending', now())
      """)
    let test = try #require(try tenant.store.lease().first)
    try tenant.store.settleDeliveries([test.settled(.rejected(reason: "answered 401"), status: 401)])
    #expect(try reports().isEmpty)
  }

  @Test("A receiver that is gone has its provider switched off, which the provider and an alert say")
  func gone() throws {
    try raise(2)
    let leased = try tenant.store.lease()
    try tenant.store.settleDeliveries([leased[0].settled(.gone(reason: "answered 410: closed"), status: 410)])
    let provider = try #require(try tenant.store.provider(tenant: "acme", id: "pager"))
    #expect(provider.document["enabled"] == false)
    #expect(provider.document["disabled_reason"] == "answered 410: closed")
    #expect(try reports() == ["Alerts do not reach pager: other third"])
    _ = try tenant.store.changeProvider(tenant: "acme", id: "pager") { stored in
      try Provider(json: .object(Provider.document(stored, changedBy: ["enabled": true])))
    }
    let enabled = try #require(try tenant.store.provider(tenant: "acme", id: "pager"))
    #expect(enabled.document["disabled_reason"] == nil)
  }

  @Test("A provider that was changed since the attempt is not switched off by its answer")
  func changedMeanwhile() throws {
    try raise(1)
    let leased = try tenant.store.lease()
    try tenant.database.run("UPDATE alert_providers SET updated_at = now() + interval '1 minute'")
    try tenant.store.settleDeliveries([leased[0].settled(.gone(reason: "answered 410"), status: 410)])
    #expect(try tenant.store.provider(tenant: "acme", id: "pager")?.document["enabled"] == true)
  }

  @Test("What waits longer than the schedule for a receiver that is down is given up, and told once")
  func expired() throws {
    try raise(9)
    try tenant.store.settleDeliveries(try tenant.store.lease(limit: 5).map(fail))
    #expect(try tenant.store.expireDeliveries(limit: 100) == 0)
    try tenant.database.run("UPDATE alert_deliveries SET created_at = created_at - interval '3 days'")
    #expect(try tenant.store.expireDeliveries(limit: 4) == 4)
    #expect(try tenant.store.expireDeliveries(limit: 100) == 5)
    let states =
      "SELECT state || ' ' || attempts || ' ' || last_error FROM alert_deliveries WHERE provider_id = 'pager'"
    #expect(
      try Set(tenant.database.texts(states)) == ["dead 1 no connection", "dead 0 the receiver was down all the time"])
    #expect(try reports() == ["Alerts do not reach pager: other third"])
  }
}
