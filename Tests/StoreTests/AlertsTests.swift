import JSON
import Matching
import Store
import Testing

@Suite("Alerts")
struct AlertsTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.avoidEndOfHour()
    try tenant.makeProviders("pager", "mail")
    try tenant.makeProviders("off", isEnabled: false)
    try tenant.makePolicy("logins", ["providers": ["pager", "off"], "severity": "high", "max_alerts_per_hour": 0])
    try tenant.makePolicy("logouts", ["max_alerts_per_hour": 1])
  }

  private func raise(_ policy: String = "logins", eventID: String? = nil) throws -> String {
    try #require(try tenant.admit(Tenant.match(policy, eventID: eventID)).first?.alertID)
  }

  @Test("An alert is shown with every member of the contract, and its event as it came")
  func shown() throws {
    let event = #"{"type": "login","n":1.50,"n":1.5e0,"bell":"\u0000\ud800"}"#
    let id = try #require(
      try tenant.admit(Tenant.match(eventID: "e-1", event: event)).first?.alertID)
    let alert = try #require(try tenant.store.alert(tenant: "acme", id: id))
    let shown = String(decoding: alert.json, as: UTF8.self)
    #expect(shown.contains(#""event_data":"# + event + ","))
    let members = try #require(try JSONValue(parsing: alert.json).object)
    #expect(
      members.members.map(\.key).sorted() == [
        "acknowledged_at", "acknowledged_by", "alert_id", "created_at", "delivery_status", "event_count", "event_data",
        "event_id", "last_event_at", "message", "policy_id", "resolved_at", "resolved_by", "severity", "status",
        "summary", "tenant_id", "title", "triggered_at", "updated_at",
      ])
    #expect(members["delivery_status"] == ["off": "skipped", "pager": "pending"])
    #expect(members["severity"] == "high")
    #expect(members["status"] == "active")
    #expect(members["event_id"] == "e-1")
    #expect(members["event_count"] == 1)
    #expect(members["last_event_at"] == members["triggered_at"])
    #expect(members["tenant_id"] == "acme")
  }

  @Test("Events that are held back make the open alert's count grow")
  func eventCount() throws {
    let id = try raise("logouts")
    for _ in 0..<3 { try tenant.admit(Tenant.match("logouts")) }
    let alert = try #require(try tenant.store.alert(tenant: "acme", id: id))
    #expect(alert.eventCount == 4)
    #expect(alert.lastEventAt > alert.triggeredAt)
    #expect(alert.updatedAt == alert.lastEventAt)
    _ = try tenant.store.resolveAlert(tenant: "acme", id: id, by: "me")
    try tenant.admit(Tenant.match("logouts"))
    #expect(try tenant.store.alert(tenant: "acme", id: id)?.eventCount == 4)
  }

  @Test("Another tenant's alert is not there")
  func otherTenant() throws {
    let id = try raise()
    #expect(try tenant.store.alert(tenant: "umbrella", id: id) == nil)
    #expect(try tenant.store.acknowledgeAlert(tenant: "umbrella", id: id, by: "x") == nil)
    #expect(try tenant.store.resolveAlert(tenant: "umbrella", id: id, by: "x") == nil)
    let page = Page(number: 1, size: 10)
    #expect(try tenant.store.alerts(tenant: "umbrella", AlertFilter(), page: page).total == 0)
    #expect(try tenant.store.alert(tenant: "acme", id: id)?.status == .active)
  }

  @Test("Acknowledging is noted once; a resolved alert stays resolved")
  func acknowledge() throws {
    let id = try raise()
    let first = try #require(try tenant.store.acknowledgeAlert(tenant: "acme", id: id, by: "ann"))
    #expect(first.status == .acknowledged && first.acknowledgedBy == "ann" && first.acknowledgedAt == first.updatedAt)
    let second = try #require(try tenant.store.acknowledgeAlert(tenant: "acme", id: id, by: "bob"))
    #expect(second.json == first.json)
    let resolved = try #require(try tenant.store.resolveAlert(tenant: "acme", id: id, by: "cem"))
    #expect(resolved.status == .resolved && resolved.resolvedBy == "cem" && resolved.acknowledgedBy == "ann")
    #expect(try tenant.store.resolveAlert(tenant: "acme", id: id, by: "dan")?.json == resolved.json)
    #expect(try tenant.store.acknowledgeAlert(tenant: "acme", id: id, by: "eve")?.json == resolved.json)
    #expect(try tenant.store.acknowledgeAlert(tenant: "acme", id: "alert-none", by: "ann") == nil)
  }

  @Test("The list is newest first, page by page, with the total on every page")
  func pages() throws {
    let ids = try (0..<5).map { _ in try raise() }
    let pages = try (1...4).map { number in
      try tenant.store.alerts(tenant: "acme", AlertFilter(), page: Page(number: number, size: 2))
    }
    #expect(pages.flatMap { $0.elements.map(\.id) } == ids.reversed())
    #expect(pages.map(\.total) == [5, 5, 5, 5])
    #expect(try tenant.store.alerts(tenant: "acme", AlertFilter(), page: Page(number: .max, size: 100)).total == 5)
  }

  @Test("Alerts of one batch, all of one moment, have an order too")
  func pagesOfOneMoment() throws {
    let matches = (0..<7).map { _ in Tenant.match() }
    let raised = try tenant.admit(matches).compactMap(\.alertID)
    let listed = try (1...7).flatMap { number in
      try tenant.store.alerts(tenant: "acme", AlertFilter(), page: Page(number: number, size: 1)).elements.map(\.id)
    }
    #expect(listed == raised.sorted(by: >))
  }

  @Test("A filter takes the alerts that fit all of it")
  func filters() throws {
    let (first, second) = (try raise(), try raise("logouts"))
    _ = try tenant.store.resolveAlert(tenant: "acme", id: first, by: "me")
    let triggered = try #require(try tenant.store.alert(tenant: "acme", id: first)?.triggeredAt)
    func ids(_ set: (inout AlertFilter) -> Void) throws -> [String] {
      var filter = AlertFilter()
      set(&filter)
      return try tenant.alerts(filter).map(\.id)
    }
    #expect(try ids { _ in } == [second, first])
    #expect(try ids { $0.policyID = "logins" } == [first])
    #expect(try ids { $0.severity = .medium } == [second])
    #expect(try ids { $0.status = .resolved } == [first])
    #expect(try ids { ($0.status, $0.severity) = (.active, .high) } == [])
    #expect(try ids { $0.end = Timestamp(triggered) } == [first])
    #expect(try ids { $0.start = Timestamp(triggered) } == [second, first])
    #expect(try ids { $0.start = Timestamp("9999-12-31T23:59:59+23:59") } == [])
    #expect(try ids { $0.start = Timestamp("0001-01-01T00:00:00-23:59") } == [second, first])
    #expect(try ids { $0.policyID = "a'; DROP TABLE alerts; --" } == [])
  }

  @Test("A deleted policy leaves its alerts")
  func deletedPolicy() throws {
    let id = try raise()
    #expect(try tenant.store.deletePolicy(tenant: "acme", id: "logins"))
    #expect(try tenant.store.alert(tenant: "acme", id: id)?.policyID == "logins")
  }
}
