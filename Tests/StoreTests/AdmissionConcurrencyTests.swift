import Host
import Matching
import Postgres
import Store
import TestSupport
import Testing

/// How many connections ask at once.
private let connections = 64

@Suite("Admission by many at once", .serialized)
struct AdmissionConcurrencyTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.avoidEndOfHour()
  }

  /// Each of the connections admits batches of the matches that are made for it, one after the other.
  private func admit(
    rounds: Int = 1, limit: Int? = nil,
    _ matches: @escaping @Sendable (_ connection: Int, _ round: Int) -> [Tenant.Matched]
  ) throws -> [Admission] {
    let (url, name) = (tenant.database.url, tenant.name)
    return try onThreads(connections) { number in
      let store = Store(url: url, timeouts: .patient)
      return try (0..<rounds).flatMap { try store.admit(tenant: name, Tenant.batch(matches(number, $0), limit: limit)) }
    }.flatMap { $0 }
  }

  @Test("One alert in the throttle's minutes, and every other event is counted")
  func throttle() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 60, "max_alerts_per_hour": 0])
    let admissions = try admit(rounds: 3) { _, _ in [Tenant.match()] }
    let raised = admissions.filter { $0.decision == .raised }
    #expect(admissions.count == connections * 3)
    #expect(raised.count == 1)
    #expect(Set(admissions.map(\.alertID)) == [raised.first?.alertID])
    #expect(try tenant.counts() == ["raised": 1, "throttled": connections * 3 - 1])
    #expect(try tenant.alerts().map(\.eventCount) == [connections * 3])
  }

  @Test("As many alerts as the cap allows, and every other event is counted")
  func cap() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 5])
    let admissions = try admit(rounds: 3) { _, _ in [Tenant.match()] }
    #expect(admissions.filter { $0.decision == .raised }.count == 5)
    #expect(try tenant.counts() == ["raised": 5, "capped": connections * 3 - 5])
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == connections * 3)
  }

  @Test("The cap holds where batches ask for more than is left")
  func capOfBatches() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 100])
    let admissions = try admit { _, _ in (0..<7).map { _ in Tenant.match() } }
    #expect(admissions.filter { $0.decision == .raised }.count == 100)
    #expect(try tenant.counts() == ["raised": 100, "capped": connections * 7 - 100])
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alerts") == ["100"])
  }

  @Test("Throttle and cap hold for each combination of the throttle_by values")
  func throttleBy() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 60, "throttle_by": ["user"]])
    let admissions = try admit(rounds: 4) { number, round in [Tenant.match(key: "[\"user \((number + round) % 8)\"]")] }
    #expect(admissions.filter { $0.decision == .raised }.count == 8)
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == connections * 4)
    #expect(try tenant.alerts().count == 8)
  }

  @Test("Batches that touch the same keys in opposite orders all go through")
  func oppositeOrders() throws {
    let policies = ["a", "b", "c", "d"]
    for policy in policies { try tenant.makePolicy(policy, ["max_alerts_per_hour": 3]) }
    let admissions = try admit(rounds: 5) { number, round in
      let matches = policies.flatMap { policy in
        (0..<3).map { key in
          Tenant.match(policy, key: "[\(key)]", eventID: "event \(number % 16) \(round) \(policy) \(key)")
        }
      }
      return number % 2 == 0 ? matches : matches.reversed()
    }
    #expect(admissions.count == connections * 5 * 12)
    #expect(admissions.filter { !$0.isDuplicate && $0.decision == .raised }.count == 4 * 3 * 3)
    for policy in policies {
      #expect(try tenant.counts(of: policy) == ["raised": 9, "capped": 16 * 5 * 3 - 9])
    }
  }

  @Test("An event that arrives many times at once is decided once, and all are answered the same alert")
  func duplicates() throws {
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 0, "providers": ["pager"]])
    let admissions = try admit(rounds: 4) { _, round in [Tenant.match(eventID: "event \(round)")] }
    #expect(admissions.filter { !$0.isDuplicate }.count == 4)
    #expect(admissions.allSatisfy { $0.decision == .raised })
    #expect(admissions.allSatisfy { $0.deliveries.map(\.providerID) == ["pager"] })
    #expect(Set(admissions.map(\.alertID)).count == 4)
    #expect(try tenant.counts() == ["raised": 4])
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alert_deliveries") == ["4"])
  }

  @Test("Suppressed events run in their own lane, beside alerts that are raised at the same time")
  func suppressed() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 2])
    try tenant.makeSuppression("maintenance")
    let admissions = try admit(rounds: 2) { number, _ in
      [Tenant.match(suppressions: number % 2 == 0 ? ["maintenance"] : [])]
    }
    #expect(admissions.filter { $0.decision == .raised }.count == 2)
    #expect(try tenant.counts() == ["raised": 2, "capped": connections - 2, "suppressed": connections])
    let suppressed = try tenant.alerts().filter { $0.status == .suppressed }
    #expect(suppressed.count == 2)
    #expect(suppressed.map(\.eventCount).reduce(0, +) == connections)
  }

  @Test("Folded batches that touch the same keys in different orders all go through, and every event is counted")
  func foldedBatches() throws {
    let policies = ["a", "b", "c"]
    for policy in policies { try tenant.makePolicy(policy, ["throttle_minutes": 60, "max_alerts_per_hour": 0]) }
    let admissions = try admit(rounds: 5, limit: 1) { number, _ in
      let keys = policies.flatMap { policy in (0..<4).map { (policy: policy, key: "[\($0)]") } }
      let rotated = Array(keys[(number % 12)...] + keys[..<(number % 12)])
      let ordered = number % 2 == 0 ? rotated : rotated.reversed()
      return (ordered + ordered.reversed() + ordered).map { Tenant.match($0.policy, key: $0.key) }
    }
    #expect(admissions.count == connections * 5 * 12)
    #expect(admissions.filter { $0.decision == .raised }.count == 12)
    for policy in policies {
      #expect(try tenant.counts(of: policy) == ["raised": 4, "throttled": connections * 5 * 12 - 4])
    }
    #expect(try tenant.alerts().count == 12)
    #expect(try tenant.alerts().map(\.eventCount) == Array(repeating: connections * 5 * 3, count: 12))
  }

  @Test("A batch whose events others bring at the same time raises each once")
  func overlappingBatches() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 0])
    try tenant.makePolicy("capped", ["max_alerts_per_hour": 5])
    let admissions = try admit(rounds: 2, limit: nil) { number, _ in
      let ids = Array(0..<30).map { ($0 + number) % 40 }
      return (number % 2 == 0 ? ids : ids.reversed()).flatMap { id in
        ["logins", "capped"].map { Tenant.match($0, eventID: "\(id)") }
      }
    }
    #expect(admissions.count == connections * 2 * 60)
    #expect(admissions.filter { !$0.isDuplicate }.count == 80)
    #expect(try tenant.counts() == ["raised": 40])
    #expect(try tenant.counts(of: "capped") == ["raised": 5, "capped": 35])
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alerts") == ["45"])
  }
}
