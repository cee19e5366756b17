import Delivery
import Host
import JSON
import Matching
import Store
import TestSupport
import Testing

@Suite("Digests", .serialized) struct DigestTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager", "mail")
    try tenant.avoidEndOfHour()
  }

  private func makePolicy(_ id: String = "logins", _ members: JSONObject = [:]) throws {
    let digest: JSONObject = [
      "throttle_minutes": 60, "max_alerts_per_hour": 0, "digest_minutes": 15, "throttle_by": ["user"],
      "providers": ["pager", "mail"],
    ]
    try tenant.makePolicy(id, digest.overlaid(with: members))
  }

  private func change(_ members: JSONObject) throws {
    _ = try tenant.store.changePolicy(tenant: "acme", id: "logins") { stored in
      try Policy(json: .object(Policy.document(stored, changedBy: members)))
    }
  }

  /// Has a time pass for all that was held back.
  private func pass(minutes: Int) throws {
    try tenant.database.run(
      """
      UPDATE alert_held_back
      SET opened_at = opened_at - interval '\(minutes) minutes', due_at = due_at - interval '\(minutes) minutes';
      UPDATE alert_policies SET updated_at = updated_at - interval '\(minutes) minutes';
      """)
  }

  /// The deliveries of digests: policy, provider, state, events, values.
  private func digests() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT
        concat_ws(' ', held_back ->> 'policy_id', provider_id, state, held_back ->> 'events', held_back ->> 'values')
      FROM alert_deliveries
      WHERE event = 'digest'
      ORDER BY created_at, 1
      """)
  }

  private func admit(_ matches: [Tenant.Matched]) throws {
    _ = try tenant.store.admit(tenant: "acme", Tenant.batch(matches, hasDigest: true))
  }

  private func admit(keys: String...) throws { try admit(keys.map { Tenant.match(key: #"[["\#($0)"]]"#) }) }

  @Test("What throttle and cap held back is told at the end of the window, to each provider, and once")
  func told() throws {
    try makePolicy()
    try makePolicy(
      "capped", ["throttle_minutes": 0, "max_alerts_per_hour": 2, "throttle_by": [], "providers": ["mail"]])
    try admit(keys: "ann", "ann", "bob", "ann", "cem", "bob")
    try admit((0..<5).map { _ in Tenant.match("capped") })
    #expect(try tenant.store.closeDigests(limit: 100) == 0)
    try pass(minutes: 14)
    try admit(keys: "dan", "dan", "dan")
    #expect(try tenant.store.closeDigests(limit: 100) == 0)
    try pass(minutes: 1)
    #expect(try tenant.store.closeDigests(limit: 100) == 2)
    #expect(try tenant.store.closeDigests(limit: 100) == 0)
    #expect(
      try digests() == ["capped mail pending 3", "logins mail pending 5 3", "logins pager pending 5 3"])
  }

  @Test("The next window opens with the first event that is held back after a digest")
  func nextWindow() throws {
    try makePolicy("logins", ["providers": ["mail"]])
    try admit(keys: "ann", "ann")
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    try pass(minutes: 60)
    #expect(try tenant.store.closeDigests(limit: 100) == 0)
    try admit(keys: "ann")
    #expect(try tenant.store.closeDigests(limit: 100) == 0)
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    #expect(try digests() == ["logins mail pending 1 1", "logins mail pending 1 1"])
  }

  @Test("What is suppressed, outside the window, a repeat or of a policy without a digest is not told")
  func untold() throws {
    try makePolicy()
    try makePolicy("plain", ["digest_minutes": 0])
    try tenant.makeSuppression("maintenance")
    try admit((0..<3).map { _ in Tenant.match(suppressions: ["maintenance"]) })
    try admit((0..<3).map { _ in Tenant.match("plain") })
    for _ in 0..<2 {
      try admit([Tenant.match(key: "[1]", eventID: "1"), Tenant.match(key: "[1]", eventID: "2")])
    }
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    #expect(try digests() == ["logins mail pending 1 1", "logins pager pending 1 1"])
  }

  @Test("A digest that is switched off, a policy that is, and its providers, as they are at the window's end")
  func changed() throws {
    try tenant.makeProviders("off", isEnabled: false)
    for members: JSONObject in [["digest_minutes": 0], ["enabled": false, "providers": ["off", "mail"]]] {
      try tenant.database.run("DELETE FROM alert_policies; DELETE FROM alert_throttles; DELETE FROM alert_deliveries")
      try makePolicy()
      try admit(keys: "ann", "ann", "bob", "bob")
      try change(members)
      try admit(keys: "ann")
      try tenant.database.run("UPDATE alert_held_back SET due_at = now()")
      #expect(try tenant.store.closeDigests(limit: 100) == 1)
      // The policy was changed: of which fields the keys are is not known any more.
      let expected = members["enabled"] == nil ? ["mail pending", "pager pending"] : ["mail pending", "off skipped"]
      #expect(try digests() == expected.map { "logins \($0) 2" })
    }
  }

  @Test("A policy that was deleted tells nothing more")
  func deleted() throws {
    try makePolicy()
    try admit(keys: "ann", "ann")
    #expect(try tenant.store.deletePolicy(tenant: "acme", id: "logins"))
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    #expect(try digests().isEmpty)
    #expect(try tenant.database.texts("SELECT policy_id FROM alert_held_back").isEmpty)
  }

  @Test("A digest belongs to the newest alert that is still open, for those who were told of that")
  func thread() throws {
    try makePolicy()
    try admit(keys: "ann", "ann")
    try admit(keys: "bob", "bob")
    let alerts = try tenant.alerts()
    _ = try tenant.store.resolveAlert(tenant: "acme", id: alerts[0].id, by: "cem")
    try pass(minutes: 15)
    try tenant.database.run(
      "UPDATE alert_deliveries SET state = CASE provider_id WHEN 'pager' THEN 'sent' ELSE 'dead' END")
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    let ofAlert = try tenant.database.texts("SELECT DISTINCT alert_id FROM alert_deliveries WHERE event = 'digest'")
    #expect(ofAlert == [alerts[1].id])
    let leased = try tenant.store.lease().sorted { $0.providerID < $1.providerID }
    #expect(leased.map(\.providerID) == ["mail", "pager"])
    #expect(leased.map(\.skipReason) == [nil, nil])
    #expect(leased[0].notice.alertID == "digest-\(leased[0].id)" && leased[1].notice.alertID == alerts[1].id)
    guard case .digest(let alone) = leased[0].notice.occasion, case .digest(let threaded) = leased[1].notice.occasion
    else { return #expect(Bool(false), "no digests") }
    #expect(alone.firstDeliveryID == nil && alone.events == 2 && alone.values == 2 && alone.fields == ["user"])
    let first = try tenant.database.texts(
      """
      SELECT delivery_id::text FROM alert_deliveries
      WHERE event = 'triggered' AND provider_id = 'pager' AND alert_id = '\(alerts[1].id)'
      """)
    #expect([threaded.firstDeliveryID] == first)
    #expect(leased[0].notice.deduplicationKey != leased[1].notice.deduplicationKey)
    #expect(leased.allSatisfy { $0.notice.policyID == "logins" && $0.notice.policyName == "Logins" })
  }

  @Test("A digest waits for what goes before it, and of an alert that is resolved by then it is a digest of its own")
  func order() throws {
    try makePolicy("logins", ["providers": ["pager"]])
    try admit(keys: "ann", "ann")
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    let alert = try #require(try tenant.alerts().first)
    _ = try tenant.store.resolveAlert(tenant: "acme", id: alert.id, by: "cem")
    for event in [DeliveryEvent.triggered, .digest, .resolved] {
      let leased = try tenant.store.lease()
      #expect(leased.map(\.event) == [event])
      if event == .digest { #expect(leased.first?.notice.alertID != alert.id) }
      try tenant.store.settleDeliveries(leased.map { $0.settled(.sent(remark: nil), receiver: .sent) })
    }
  }

  @Test("The ledger shows what a digest tells, and a replay of the policy takes it along")
  func ledger() throws {
    try makePolicy("logins", ["providers": ["pager"]])
    try admit(keys: "ann", "ann")
    _ = try tenant.store.resolveAlert(tenant: "acme", id: try #require(try tenant.alerts().first).id, by: "cem")
    try pass(minutes: 15)
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    let listed = try tenant.store.deliveries(tenant: "acme", DeliveryFilter(), page: Page(number: 1, size: 1))
    let entry = try #require(listed.elements.first)
    #expect(entry.event == .digest && entry.alertID == nil)
    let told = try JSONValue(parsing: try #require(entry.heldBack).bytes).object
    #expect(told?["events"] == 1 && told?["values"] == 1 && told?["throttle_by"] == ["user"])
    try tenant.database.run("UPDATE alert_deliveries SET state = 'dead'")
    var replay = Replay()
    replay.policyID = "logins"
    #expect(try tenant.store.retryDeliveries(tenant: "acme", replay)?.retried == 3)
    replay.policyID = "other"
    #expect(try tenant.store.retryDeliveries(tenant: "acme", replay)?.retried == 0)
  }
}
