import Delivery
import Matching
import Store
import TestSupport
import Testing

@Suite("Reports about outages") struct OutageReportTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager", "other", "third")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 0])
  }

  /// Has a delivery to the pager end so.
  private func deliver(_ outcome: Outcome, receiver: ReceiverState = .answering) throws {
    try tenant.admit(Tenant.match())
    let room = ProviderRoom(provider: ProviderKey(tenant: "acme", providerID: "pager"), room: 1)
    let leased = try #require(try tenant.store.leaseDeliveries(of: [room], seconds: 60).first)
    try tenant.store.settleDeliveries([leased.settled(outcome, receiver: receiver)])
  }

  private func lose() throws { try deliver(.rejected(reason: "answered 401")) }

  private func succeed() throws { try deliver(.sent(remark: nil), receiver: .sent) }

  private func reports() throws -> [String] {
    try tenant.database.texts(
      "SELECT status || coalesce(' ' || resolved_by, '') FROM alerts WHERE policy_id = 'delivery-failure' ORDER BY alert_id"
    )
  }

  /// What is told of the reports: provider and event.
  private func told() throws -> [String] {
    try tenant.database.texts(
      """
      SELECT provider_id || ' ' || event
      FROM alert_deliveries
      JOIN alerts USING (tenant_id, alert_id)
      WHERE policy_id = 'delivery-failure'
      ORDER BY 1
      """)
  }

  @Test("The next delivery that succeeds ends the report, which those are told who were told of the outage, once")
  func ends() throws {
    try lose()
    try deliver(.waiting(milliseconds: 60_000, reason: "429", recipients: nil))
    #expect(try tenant.store.resolveReports() == 0)
    #expect(try reports() == ["active"])
    try succeed()
    try succeed()
    let url = tenant.database.url
    #expect(try onThreads(8) { _ in try Store(url: url, timeouts: .patient).resolveReports() }.reduce(0, +) == 1)
    #expect(try tenant.store.resolveReports() == 0)
    #expect(try reports() == ["resolved tocsin"])
    #expect(try told() == ["other resolved", "other triggered", "third resolved", "third triggered"])
    try lose()
    #expect(try reports() == ["resolved tocsin", "active"])
  }

  @Test("The end is told behind the beginning")
  func order() throws {
    try lose()
    try succeed()
    try tenant.store.resolveReports()
    for event in [DeliveryEvent.triggered, .resolved] {
      let leased = try tenant.store.lease()
      #expect(leased.map(\.event) == [event, event])
      #expect(leased.allSatisfy { $0.notice.policyID == "delivery-failure" })
      try tenant.store.settleDeliveries(leased.map { $0.settled(.sent(remark: nil), receiver: .sent) })
    }
  }

  @Test("A report that somebody has resolved is not resolved again")
  func resolvedByHand() throws {
    try lose()
    let report = try #require(
      try tenant.database.texts("SELECT alert_id FROM alerts WHERE policy_id = 'delivery-failure'").first)
    _ = try tenant.store.resolveAlert(tenant: "acme", id: report, by: "ann")
    try succeed()
    #expect(try tenant.store.resolveReports() == 0)
    #expect(try reports() == ["resolved ann"])
    #expect(try told().count == 4)
  }

  @Test("A provider that is changed after an outage ends its report with its next success, and reports the next loss")
  func changed() throws {
    try lose()
    _ = try tenant.store.changeProvider(tenant: "acme", id: "pager") { stored in
      try Provider(json: .object(Provider.document(stored, changedBy: ["name": "new"])))
    }
    #expect(try tenant.store.resolveReports() == 0)
    try lose()
    #expect(try reports() == ["active", "active"])
    try succeed()
    #expect(try tenant.store.resolveReports() == 2)
    #expect(try reports() == ["resolved tocsin", "resolved tocsin"])
  }

  @Test("A provider that is deleted has its report resolved")
  func deleted() throws {
    try lose()
    #expect(try tenant.store.deletePolicy(tenant: "acme", id: "logins"))
    #expect(try tenant.store.deleteProvider(tenant: "acme", id: "pager") == .deleted)
    #expect(try tenant.store.resolveReports() == 1)
    #expect(try reports() == ["resolved tocsin"])
  }

  @Test("A success that runs beside the loss that it ends leaves no report open for good")
  func sideBySide() throws {
    try tenant.admit((0..<40).map { _ in Tenant.match() })
    let leased = try tenant.store.lease()
    let url = tenant.database.url
    _ = try onThreads(leased.count) { number in
      let store = Store(url: url, timeouts: .patient)
      let outcome: Outcome = number % 2 == 0 ? .rejected(reason: "answered 401") : .sent(remark: nil)
      try store.settleDeliveries([leased[number].settled(outcome, receiver: number % 2 == 0 ? .answering : .sent)])
      try store.resolveReports()
    }
    try succeed()
    try tenant.store.resolveReports()
    #expect(try reports().allSatisfy { $0 == "resolved tocsin" })
    #expect(try reports().count > 0)
    #expect(
      try tenant.database.texts("SELECT event FROM alert_deliveries WHERE event = 'resolved'").count == reports().count
        * 2)
  }
}
