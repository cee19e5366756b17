import Delivery
import Postgres
import Store
import TestSupport
import Testing

@Suite("The outbox")
struct OutboxTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("hook")
    try tenant.makePolicy("logins", ["providers": ["hook"], "severity": "high", "max_alerts_per_hour": 0])
  }

  private func lease(_ limit: Int = 10, seconds: Int = 60) throws -> [LeasedDelivery] {
    try tenant.store.leaseDeliveries(limit: limit, seconds: seconds)
  }

  private func lease() throws -> LeasedDelivery { try #require(try lease(1).first) }

  private func states() throws -> [String] {
    try tenant.database.texts("SELECT state || coalesce(' ' || last_error, '') FROM alert_deliveries ORDER BY 1")
  }

  private func makeDue() throws { try tenant.database.run("UPDATE alert_deliveries SET next_attempt_at = now()") }

  @Test("A delivery is leased with all that its provider is told")
  func leased() throws {
    let alertID = try #require(try tenant.admit(Tenant.match(event: #"{"a": 1.50}"#)).first?.alertID)
    let delivery: LeasedDelivery = try lease()
    #expect(delivery.tenant == "acme" && delivery.attempt == 1 && delivery.age < 60 && delivery.recipients == nil)
    #expect(delivery.providerID == "hook")
    #expect(try delivery.provider.get().name == "hook")
    let notice = delivery.notice
    #expect(notice.alertID == alertID && notice.policyID == "logins" && notice.policyName == "Logins")
    #expect(notice.severity == .high && notice.title == "title" && notice.message == "message")
    #expect(String(decoding: notice.event.bytes, as: UTF8.self) == #"{"a": 1.50}"#)
    #expect(notice.triggeredAt.hasSuffix("Z"))
  }

  @Test("What is leased is nobody else's until the lease ends, then it is due again")
  func leasesEnd() throws {
    try tenant.admit(Tenant.match())
    let first: LeasedDelivery = try lease()
    #expect(try lease(10).isEmpty)
    try makeDue()
    let second: LeasedDelivery = try lease()
    #expect(second.id == first.id && second.attempt == 2)
    #expect(try tenant.store.settle([first.settled(.rejected(reason: "late"), status: 400)]) == 0)
    #expect(try tenant.store.settle([second.settled(.sent(remark: nil), status: 200)]) == 1)
    #expect(try states() == ["sent"])
  }

  @Test("Two that lease at once never get the same")
  func concurrentLeases() throws {
    for _ in 1...20 { try tenant.admit(Tenant.match()) }
    let holder = try tenant.database.connect()
    try holder.run(script: "BEGIN")
    let held = Statement(
      "hold", "SELECT delivery_id::text FROM alert_deliveries ORDER BY next_attempt_at LIMIT 5 FOR UPDATE")
    let ids = try holder.run(held).map { $0.text(0) }
    let leased = try lease(100).map(\.id)
    #expect(leased.count == 15 && Set(leased).isDisjoint(with: ids))
    try holder.run(script: "ROLLBACK")
    #expect(try Set(lease(100).map(\.id)) == Set(ids))
  }

  @Test("Each outcome is stored as what it says")
  func outcomes() throws {
    for _ in 1...4 { try tenant.admit(Tenant.match()) }
    let outcomes: [Outcome] = [
      .sent(remark: "r1"), .rejected(reason: "r2"), .dead(reason: "r3"),
      .waiting(milliseconds: 90_000, reason: "r4", recipients: nil),
    ]
    let settlements = zip(try lease(4), outcomes).map { $0.settled($1, status: 207) }
    #expect(try tenant.store.settle(settlements) == 4)
    #expect(try states() == ["dead r3", "failed r2", "pending r4", "sent r1"])
    let waits = "SELECT round(extract(epoch FROM next_attempt_at - updated_at))::text FROM alert_deliveries"
    #expect(try tenant.database.texts(waits + " WHERE state = 'pending'") == ["90"])
    #expect(try tenant.database.texts("SELECT DISTINCT last_status::text FROM alert_deliveries") == ["207"])
    #expect(try lease(10).isEmpty)
  }

  @Test("Recipients that remain are kept until others do")
  func recipients() throws {
    try tenant.admit(Tenant.match())
    for (given, expected) in [
      (["a@b.c", "d@e.f"], ["a@b.c", "d@e.f"]), (nil, ["a@b.c", "d@e.f"]), (["d@e.f"], ["d@e.f"]),
    ] {
      let delivery: LeasedDelivery = try lease()
      let outcome = Outcome.waiting(milliseconds: 0, reason: "r", recipients: given)
      try tenant.store.settle([delivery.settled(outcome, status: 450)])
      let next: LeasedDelivery = try lease()
      #expect(next.recipients == expected)
      try makeDue()
    }
  }

  @Test("What is due to a provider that was switched off or deleted since is skipped, and hides nothing behind it")
  func skipped() throws {
    try tenant.makeProviders("gone", "off")
    try tenant.makePolicy("more", ["providers": ["gone", "off"]])
    try tenant.admit(Tenant.match("more"))
    try tenant.admit(Tenant.match())
    try tenant.database.run(
      """
      DELETE FROM alert_providers WHERE provider_id = 'gone';
      UPDATE alert_providers SET enabled = false WHERE provider_id = 'off';
      """)
    #expect(try lease(1).map(\.providerID) == ["hook"])
    let reason = "skipped the provider has been switched off or deleted"
    #expect(try states() == ["pending", reason, reason])
  }

  @Test("A provider that is no longer valid is leased with its faults")
  func invalidProvider() throws {
    try tenant.admit(Tenant.match())
    try tenant.database.run("UPDATE alert_providers SET config = '{}'")
    let delivery: LeasedDelivery = try lease()
    #expect(throws: (any Error).self) { try delivery.provider.get() }
  }

  @Test("An alert rings the bell")
  func bell() throws {
    let bell = try tenant.store.deliveryBell()
    #expect(try !bell.waitForNotification(seconds: 0))
    try tenant.admit(Tenant.match())
    #expect(try bell.waitForNotification(seconds: 10))
  }
}
