import Delivery
import Matching
import Store
import TestSupport
import Testing

@Suite("Incidents of several alerts") struct IncidentTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("hook", "pd")
    try tenant.database.run(
      """
      UPDATE alert_providers
      SET provider_type = 'pagerduty', config = '{"api_key": "0123456789"}'
      WHERE provider_id = 'pd'
      """)
    try tenant.makePolicy(
      "logins", ["providers": ["hook", "pd"], "max_alerts_per_hour": 0, "throttle_by": ["user"]])
  }

  /// Raises alerts and has them told.
  private func raise(_ count: Int, key: String = "[1]", toPagerDuty state: String = "sent") throws {
    try tenant.admit((0..<count).map { _ in Tenant.match(key: key) })
    try tenant.database.run(
      """
      UPDATE alert_deliveries
      SET state = CASE provider_id WHEN 'pd' THEN '\(state)' ELSE 'sent' END
      WHERE state = 'pending'
      """)
  }

  private func resolve(_ alerts: some Sequence<Alert>) throws {
    for alert in alerts { _ = try tenant.store.resolveAlert(tenant: "acme", id: alert.id, by: "ann") }
  }

  /// Has what is told of the ends leased and sent: provider, and why it is skipped.
  private func told() throws -> [String] {
    try tenant.database.run("UPDATE alert_provider_health SET paced_until = NULL")
    let leased = try tenant.store.lease()
    try tenant.store.settleDeliveries(
      leased.map { $0.settled($0.skipReason.map { .skipped(reason: $0) } ?? .sent(remark: nil), receiver: .sent) })
    return leased.map { $0.providerID + ($0.skipReason.map { ": \($0)" } ?? "") }.sorted()
  }

  private static let shared = "pd: other alerts of the same incident are open"

  @Test("PagerDuty is told the end with the last of an incident's alerts, a webhook with each")
  func last() throws {
    try raise(3)
    let alerts = try tenant.alerts()
    try resolve(alerts[..<1])
    #expect(try told() == ["hook", Self.shared])
    _ = try tenant.store.acknowledgeAlert(tenant: "acme", id: alerts[1].id, by: "ann")
    #expect(try told() == ["hook", "pd"])
    try resolve(alerts[2...])
    #expect(try told() == ["hook", Self.shared])
    try resolve(alerts[1...1])
    #expect(try told() == ["hook", "pd"])
  }

  @Test("Alerts of another key or tenant, and those that PagerDuty does not know of, leave an incident alone")
  func others() throws {
    try raise(1)
    let alert = try tenant.alerts()
    try raise(1, key: "[2]")
    try raise(1, toPagerDuty: "failed")
    let other = try Tenant(in: tenant.database, name: "other")
    try other.makePolicy("logins", ["max_alerts_per_hour": 0])
    try other.admit(Tenant.match(key: "[1]"))
    try resolve(alert)
    #expect(try told() == ["hook", "pd"])
  }

  @Test("Of alerts that are resolved at the same time at least one ends the incident")
  func together() throws {
    try raise(16)
    let ids = try tenant.alerts().map(\.id)
    let url = tenant.database.url
    let sent = try onThreads(ids.count) { number in
      let store = Store(url: url, timeouts: .patient)
      _ = try store.resolveAlert(tenant: "acme", id: ids[number], by: "ann")
      let leased = try store.lease()
      try store.settleDeliveries(
        leased.map { $0.settled($0.skipReason.map { .skipped(reason: $0) } ?? .sent(remark: nil), receiver: .sent) })
      return leased.count { $0.providerID == "pd" && $0.skipReason == nil }
    }.reduce(0, +)
    var later = 0
    while case let told = try told(), !told.isEmpty { later += told.count { $0 == "pd" } }
    #expect(sent + later > 0)
    let states = try tenant.database.texts(
      "SELECT DISTINCT state FROM alert_deliveries WHERE event = 'resolved' AND provider_id = 'hook'")
    #expect(states == ["sent"])
  }
}
