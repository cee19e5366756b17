import JSON
import Matching
import Store
import TestSupport
import Testing

/// Matches that were folded before PostgreSQL is asked.
@Suite("Admission of folded matches")
struct AdmissionBatchTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.avoidEndOfHour()
  }

  private func many(_ count: Int, suppressions: [String] = []) -> [Tenant.Matched] {
    (0..<count).map { _ in Tenant.match(suppressions: suppressions) }
  }

  @Test("One alert in the throttle's minutes stands for all of them")
  func throttle() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 60, "max_alerts_per_hour": 0])
    #expect(try tenant.admit(many(1000), limit: 1).map(\.decision) == [.raised])
    #expect(try tenant.admit(many(500), limit: 1).map(\.decision) == [.throttled])
    #expect(try tenant.counts() == ["raised": 1, "throttled": 1499])
    #expect(try tenant.alerts().map(\.eventCount) == [1500])
  }

  @Test("As many alerts as the cap allows stand for all of them")
  func cap() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 3])
    #expect(try tenant.admit(many(2), limit: 3).map(\.decision) == [.raised, .raised])
    #expect(try tenant.admit(many(100), limit: 3).map(\.decision) == [.raised, .capped, .capped])
    #expect(try tenant.counts() == ["raised": 3, "capped": 99])
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == 102)
    #expect(try tenant.alerts().count == 3)
  }

  @Test("Outside the window all of them are counted")
  func window() throws {
    try tenant.makePolicy()
    try tenant.database.run(
      """
      UPDATE alert_policies
      SET window_start = (now() AT TIME ZONE 'UTC' + interval '2 hours')::time,
        window_end = (now() AT TIME ZONE 'UTC' + interval '4 hours')::time,
        window_days = '{0,1,2,3,4,5,6}', window_timezone = 'UTC'
      """)
    #expect(try tenant.admit(many(100), limit: 10).allSatisfy { $0.decision == .outsideWindow })
    #expect(try tenant.counts() == ["outside_window": 100])
    #expect(try tenant.alerts().isEmpty)
  }

  @Test("Suppressed ones fold among themselves")
  func suppression() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 60, "max_alerts_per_hour": 0])
    try tenant.makeSuppression("now")
    let matches = many(50, suppressions: ["now"]) + many(30) + many(50, suppressions: ["now"])
    #expect(try tenant.admit(matches, limit: 1).map(\.decision) == [.suppressed, .raised])
    #expect(try tenant.counts() == ["raised": 1, "throttled": 29, "suppressed": 100])
    #expect(try Set(tenant.alerts().map { "\($0.status) \($0.eventCount)" }) == ["suppressed 100", "active 30"])
  }

  @Test("A suppression that is over does not part what folds")
  func suppressionOver() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 2])
    try tenant.makeSuppression("over", from: -2, until: -1)
    let matches = many(50, suppressions: ["over"]) + many(50)
    #expect(try tenant.admit(matches, limit: 2).map(\.decision) == [.raised, .raised, .capped, .capped])
    #expect(try tenant.counts() == ["raised": 2, "capped": 98])
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == 100)
  }

  @Test(
    "Where the policy was changed meanwhile, what it says now decides about the alerts that were drafted",
    arguments: [
      (["max_alerts_per_hour": 0], 2), (["max_alerts_per_hour": 100], 2), (["max_alerts_per_hour": 1], 1),
      (["throttle_minutes": 5], 1),
    ] as [(JSONObject, Int)])
  func changedPolicy(change: JSONObject, raised: Int) throws {
    try tenant.makePolicy("logins", change)
    for round in 1...2 {
      try tenant.admit(many(10), limit: 2)
      let alerts = try tenant.alerts()
      #expect(alerts.map(\.eventCount).reduce(0, +) == round * 10)
      #expect(alerts.count == (raised == 2 ? round * 2 : raised))
      let counts = try tenant.counts()
      #expect(counts["raised"] == alerts.count)
      #expect(counts.values.reduce(0, +) == round * 10)
    }
  }

  @Test("Of a batch that was sent in part before, the rest is decided as if it came alone")
  func partlyRepeated() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 10, "max_alerts_per_hour": 0])
    try tenant.admit(Tenant.match(eventID: "1"), Tenant.match(eventID: "2"), limit: 1)
    try tenant.database.run("UPDATE alert_throttles SET last_alert_at = now() - interval '11 minutes'")
    let ids = ["1", "2", "3", "4"]
    let admissions = try tenant.admit(ids.map { Tenant.match(eventID: $0) } + many(5), limit: 1)
    #expect(admissions.map(\.decision) == [.raised, .throttled, .raised, .throttled, .throttled])
    #expect(admissions.map(\.isDuplicate) == [true, true, false, false, false])
    #expect(try tenant.counts() == ["raised": 2, "throttled": 7])
    #expect(try tenant.alerts().map(\.eventCount) == [7, 2])
  }

  @Test("Folded or each by itself, a request comes to the same")
  func sameAsUnfolded() throws {
    let other = try Tenant(in: tenant.database, name: "umbrella")
    let limits = ["free": nil, "capped": 3, "throttled": 1] as [String: Int?]
    for tenant in [tenant, other] {
      try tenant.makePolicy("free", ["max_alerts_per_hour": 0])
      try tenant.makePolicy("capped", ["max_alerts_per_hour": 3])
      try tenant.makePolicy("throttled", ["max_alerts_per_hour": 2, "throttle_minutes": 5])
      try tenant.makeSuppression("\(tenant.name)-now")
    }
    var generator = SystemRandomNumberGenerator()
    for _ in 0..<20 {
      let choices = (0..<60).map { _ in
        (
          policy: limits.keys.sorted()[Int.random(in: 0..<3, using: &generator)],
          key: "[\(Int.random(in: 0..<3, using: &generator))]",
          eventID: Int.random(in: 0..<4, using: &generator) == 0 ? "\(Int.random(in: 0..<200))" : nil,
          isSuppressed: Int.random(in: 0..<4, using: &generator) == 0
        )
      }
      for (tenant, isFolded) in [(tenant, true), (other, false)] {
        var batch = MatchBatch()
        for choice in choices {
          let key = MatchKey(
            policyID: choice.policy, throttleKey: choice.key, eventID: choice.eventID,
            suppressionIDs: choice.isSuppressed ? ["\(tenant.name)-now"] : [])
          batch.add(key, limit: isFolded ? limits[choice.policy] ?? nil : nil) { Tenant.draft() }
        }
        _ = try tenant.store.admit(tenant: tenant.name, batch)
      }
      for policy in limits.keys { #expect(try tenant.counts(of: policy) == other.counts(of: policy)) }
      #expect(try standing(tenant) == standing(other))
    }
  }

  /// All alerts by what clients see of them but for their ids, and how their events were decided.
  private func standing(_ tenant: Tenant) throws -> [String] {
    try tenant.database.texts(
      """
      SELECT concat_ws(' ', alerts.policy_id, throttle_key, status, event_id, coalesce(repeats.events, 0))
      FROM alerts
      LEFT JOIN alert_repeats AS repeats USING (tenant_id, alert_id)
      WHERE tenant_id = '\(tenant.name)'
      UNION ALL
      SELECT concat_ws(' ', policy_id, event_id, decision)
      FROM alert_decisions
      WHERE tenant_id = '\(tenant.name)'
      ORDER BY 1
      """)
  }
}
