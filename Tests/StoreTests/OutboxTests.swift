import Delivery
import JSON
import Postgres
import Store
import TestSupport
import Testing

@Suite("The outbox")
struct OutboxTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager", "mail")
    try tenant.makePolicy(
      "logins", ["providers": ["pager"], "max_alerts_per_hour": 0, "severity": "high", "throttle_by": ["user"]])
  }

  private func lease(limit: Int = 100, seconds: Int = 60) throws -> [LeasedDelivery] {
    try tenant.store.lease(limit: limit, seconds: seconds)
  }

  /// Ends an attempt that began and ended just now.
  private func settle(
    _ delivery: LeasedDelivery, _ outcome: Outcome, status: Int? = nil
  ) throws -> Int { try tenant.store.settleDeliveries([delivery.settled(outcome, status: status)]) }

  @Test("A policy that asks for the character U+0000 costs nobody a delivery")
  func policyWithNUL() throws {
    try tenant.makePolicy(
      "nul", ["name": "N", "providers": ["pager"], "rules": [["field": "a", "operator": "eq", "value": "\0"]]])
    try tenant.admit(Tenant.match("nul"), Tenant.match())
    #expect(try lease().map(\.notice.policyName).sorted() == ["Logins", "N"])
  }

  private func row(_ id: String) throws -> [String] {
    try tenant.database.texts(
      """
      SELECT unnest(ARRAY[
        state, attempts::text, coalesce(last_status::text, '-'), coalesce(last_error, '-'),
        (next_attempt_at > now())::text, coalesce(lease_token::text, '-')
      ])
      FROM alert_deliveries
      WHERE delivery_id = '\(id)'
      """)
  }

  /// Lets a number of seconds pass for every delivery.
  private func pass(seconds: Int) throws {
    try tenant.database.run(
      """
      UPDATE alert_deliveries
      SET
        next_attempt_at = next_attempt_at - interval '\(seconds) seconds',
        leased_until = leased_until - interval '\(seconds) seconds',
        created_at = created_at - interval '\(seconds) seconds'
      """)
  }

  @Test("A leased delivery has all that a receiver needs")
  func leased() throws {
    let event = #"{"type" : "login","n":1.50}"#
    let admission = try tenant.admit(Tenant.match(key: #"[["ann"]]"#, event: event))[0]
    try pass(seconds: 90)
    let delivery = try #require(try lease().first)
    #expect(delivery.tenant == "acme" && delivery.providerID == "pager" && delivery.attempt == 1)
    #expect((90...120).contains(delivery.age))
    #expect(delivery.recipients == nil)
    #expect(try delivery.provider.get().document["config"] == ["url": "https://example.com/pager"])
    let notice = delivery.notice
    #expect(notice.tenant == "acme" && notice.alertID == admission.alertID)
    #expect(notice.policyID == "logins" && notice.policyName == "Logins" && notice.severity == .high)
    #expect(notice.title == "title" && notice.message == "message" && notice.summary == "summary")
    #expect(notice.event.bytes == Array(event.utf8))
    #expect(try tenant.alerts().map(\.triggeredAt) == [notice.triggeredAt])
  }

  @Test("Alerts of one policy and throttle key have their deduplication key in common, and no others")
  func deduplicationKeys() throws {
    try tenant.makePolicy("others", ["providers": ["pager"]])
    try tenant.admit(
      Tenant.match(key: "[1]"), Tenant.match(key: "[1]"), Tenant.match(key: "[2]"), Tenant.match("others", key: "[1]"))
    let keys = try lease().map(\.notice.deduplicationKey)
    #expect(keys.count == 4)
    #expect(Set(keys).count == 3)
    #expect(keys.allSatisfy { $0.utf8.count == 64 })
  }

  @Test("The policy's name is its id where the policy has gone")
  func deletedPolicy() throws {
    try tenant.admit(Tenant.match())
    _ = try tenant.store.deletePolicy(tenant: "acme", id: "logins")
    #expect(try lease().map(\.notice.policyName) == ["logins"])
  }

  @Test("A delivery is leased to one process alone, however many ask at once")
  func exclusive() throws {
    _ = try tenant.admit((0..<200).map { _ in Tenant.match() })
    let url = tenant.database.url
    let ids = try onThreads(16) { _ in
      let store = Store(url: url, timeouts: .patient)
      var ids: [String] = []
      while true {
        let leased = try store.lease(limit: 7, seconds: 60)
        if leased.isEmpty { return ids }
        ids += leased.map(\.id)
      }
    }.flatMap { $0 }
    #expect(ids.count == 200)
    #expect(Set(ids).count == 200)
  }

  @Test("The ones that wait longest come first, and no more than the limit")
  func order() throws {
    let alerts = try (0..<3).map { _ in
      try pass(seconds: 10)
      return try tenant.admit(Tenant.match())[0].alertID
    }
    #expect(try lease(limit: 2).map(\.notice.alertID) == Array(alerts[..<2]))
    #expect(try lease(limit: 2).map(\.notice.alertID) == [alerts[2]])
    #expect(try lease(limit: 2).isEmpty)
  }

  @Test("A lease that was not settled ends by time, and the next attempt counts on")
  func expiredLease() throws {
    try tenant.admit(Tenant.match())
    let first = try #require(try lease(seconds: 60).first)
    try pass(seconds: 59)
    #expect(try lease().isEmpty)
    try pass(seconds: 2)
    let second = try #require(try lease().first)
    #expect(second.id == first.id && second.attempt == 2 && second.leaseToken != first.leaseToken)
    #expect(try settle(first, .rejected(reason: "too late"), status: 400) == 0)
    #expect(try row(first.id).prefix(2) == ["pending", "2"])
    #expect(try settle(second, .sent(remark: nil), status: 200) == 1)
    #expect(try row(first.id) == ["sent", "2", "200", "-", "false", "-"])
  }

  @Test("Every outcome is written down in one statement for the batch")
  func settle() throws {
    _ = try tenant.admit((0..<4).map { _ in Tenant.match() })
    let leased = try lease()
    let outcomes: [Outcome] = [
      .sent(remark: "one address is unknown"),
      .waiting(milliseconds: 60_000, reason: "503\0", recipients: nil),
      .rejected(reason: "gone"), .dead(reason: "three days are over"),
    ]
    try tenant.store.settleDeliveries(
      zip(leased, outcomes).enumerated().map { $1.0.settled($1.1, status: $0 == 3 ? nil : 200 + $0) })
    #expect(try row(leased[0].id) == ["sent", "1", "200", "one address is unknown", "false", "-"])
    #expect(try row(leased[1].id) == ["pending", "1", "201", "503\u{FFFD}", "true", "-"])
    #expect(try row(leased[2].id) == ["failed", "1", "202", "gone", "false", "-"])
    #expect(try row(leased[3].id) == ["dead", "1", "-", "three days are over", "false", "-"])
    // The other provider hears of the ones that are lost.
    #expect(try lease().map(\.providerID) == ["mail"])
    try pass(seconds: 59)
    #expect(try lease().isEmpty)
    try pass(seconds: 2)
    #expect(try lease().filter { $0.providerID == "pager" }.map(\.attempt) == [2])
  }

  @Test("Recipients that are left stay until others are told")
  func recipients() throws {
    try tenant.admit(Tenant.match())
    func attempt(_ recipients: [String]?) throws -> [String]? {
      let delivery = try #require(try lease().first)
      let outcome = Outcome.waiting(milliseconds: 0, reason: "busy", recipients: recipients)
      #expect(try settle(delivery, outcome, status: 451) == 1)
      return delivery.recipients
    }
    #expect(try attempt(["a@example.com", #""b, c"@example.com"#]) == nil)
    #expect(try attempt(nil) == ["a@example.com", #""b, c"@example.com"#])
    #expect(try attempt(nil) == ["a@example.com", #""b, c"@example.com"#])
  }

  @Test(
    "What waits for a provider that was switched off or deleted is skipped, and does not hide what is due behind it")
  func switchedOff() throws {
    try tenant.makePolicy("mails", ["providers": ["mail"], "max_alerts_per_hour": 0])
    _ = try tenant.admit((0..<5).map { _ in Tenant.match() })
    try pass(seconds: 1)
    let alert = try tenant.admit(Tenant.match("mails"))[0].alertID
    try tenant.database.run("UPDATE alert_providers SET enabled = false WHERE provider_id = 'pager'")
    #expect(try lease(limit: 2).map(\.notice.alertID) == [alert])
    let waiting = try tenant.store.dueProviders(after: nil, limit: 10)
    #expect(waiting.map(\.key.providerID) == ["mail", "pager"] && waiting.map(\.isEnabled) == [true, false])
    #expect(try tenant.store.skipDeliveries(of: waiting.map(\.key), limit: 4) == 4)
    #expect(try tenant.store.skipDeliveries(of: waiting.map(\.key), limit: 4) == 1)
    #expect(
      try tenant.database.texts("SELECT state || ' ' || attempts FROM alert_deliveries WHERE provider_id = 'pager'")
        == Array(repeating: "skipped 0", count: 5))
  }

  @Test("A delivery that is tried afresh has its attempts numbered on, but the schedule begins anew")
  func triedAfresh() throws {
    try tenant.admit(Tenant.match())
    try pass(seconds: 4 * 86_400)
    try tenant.database.run(
      "UPDATE alert_deliveries SET attempts = 30, attempts_before = 29, retried_at = now() - interval '1 hour'")
    let delivery = try #require(try lease().first)
    #expect(delivery.attempt == 31 && delivery.scheduledAttempt == 2)
    #expect((3600...3660).contains(delivery.age))
    let outcome = try delivery.outcome(
      of: .retry(after: nil, reason: "busy"), from: delivery.provider.get(), jitter: 0.5)
    #expect(outcome == .waiting(milliseconds: 30_000, reason: "busy", recipients: nil))
  }

  @Test("A test is about no alert, is marked as one, goes to a provider that is switched off too, and is tried once")
  func providerTest() throws {
    try tenant.makeProviders("new", isEnabled: false)
    try tenant.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, provider_id, event, state, next_attempt_at)
      VALUES ('acme', 'new', 'test', 'pending', 'epoch')
      """)
    let delivery = try #require(try lease().first)
    #expect(delivery.event == .test && delivery.providerID == "new")
    #expect(delivery.notice.title == "Test of provider new")
    #expect(delivery.notice.alertID == "test-\(delivery.id)")
    #expect(String(decoding: delivery.notice.event.bytes, as: UTF8.self) == #"{"test" : true, "provider_id" : "new"}"#)
    let outcome = try delivery.outcome(
      of: .retry(after: nil, reason: "busy"), from: delivery.provider.get(), jitter: 0.5)
    #expect(outcome == .dead(reason: "busy"))
  }

  @Test("A provider that this program cannot read comes with the reason")
  func unreadableProvider() throws {
    try tenant.admit(Tenant.match())
    try tenant.database.run(#"UPDATE alert_providers SET config = '{"url": 5}'"#)
    let delivery = try #require(try lease().first)
    #expect(throws: UnusableProvider.self) { try delivery.provider.get() }
  }

  @Test("An alert rings the bell, which nobody can hear through a pooler")
  func bell() throws {
    let bell = try #require(try tenant.store.deliveryBell())
    #expect(try !bell.waitForNotification(seconds: 0))
    try tenant.admit(Tenant.match())
    #expect(try bell.waitForNotification(seconds: 60))
    #expect(try Store(url: tenant.database.url, prepares: false).deliveryBell() == nil)
  }
}
