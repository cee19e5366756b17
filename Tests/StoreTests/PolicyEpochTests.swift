import Delivery
import JSON
import Matching
import Postgres
import Store
import TestSupport
import Testing

@Suite("The policy epoch")
struct PolicyEpochTests {
  let tenant: Tenant

  init() throws { tenant = try Tenant() }

  private func epoch() throws -> Int { try tenant.store.compiledPolicies(tenant: "acme").epoch }

  /// How much the epoch grows while a body runs.
  private func growth(_ body: () throws -> Void) throws -> Int {
    let before = try epoch()
    try body()
    return try epoch() - before
  }

  private func rule(_ field: String) throws -> Rule {
    try Rule(json: ["name": "r", "field": .string(field), "operator": "eq", "value": 1])
  }

  private func suppression(_ reason: String, _ members: JSONObject = JSONObject()) throws -> Suppression {
    let minimal: JSONObject = [
      "policy_id": "logins", "reason": .string(reason), "suppressed_until": "9999-12-31T23:59:59Z",
    ]
    return try Suppression(json: .object(minimal.overlaid(with: members)))
  }

  @Test("It grows with every change to a policy, a rule or a suppression")
  func changes() throws {
    let store = tenant.store
    #expect(try growth { try tenant.makePolicy() } == 1)
    #expect(
      try growth {
        _ = try store.changePolicy(tenant: "acme", id: "logins") { _ in try Tenant.policy(["severity": "low"]) }
      } == 1)
    _ = try store.createRule(tenant: "acme", id: "r", rule("a"), by: "me")
    #expect(try growth { _ = try store.changeRule(tenant: "acme", id: "r") { _ in try rule("b") } } == 1)
    #expect(
      try growth { _ = try store.createSuppression(tenant: "acme", id: "s", suppression("a"), by: "me") } == 1)
    #expect(
      try growth { _ = try store.changeSuppression(tenant: "acme", id: "s") { _ in try suppression("b") } } == 1)
    #expect(try growth { _ = try store.deleteSuppression(tenant: "acme", id: "s") } == 1)
    #expect(try growth { _ = try store.deletePolicy(tenant: "acme", id: "logins") } == 1)
  }

  @Test("It stays where nothing was changed, and for other tenants")
  func nothingChanged() throws {
    try tenant.makePolicy()
    let other = try Tenant(in: tenant.database, name: "umbrella")
    let growth = try growth {
      _ = try tenant.store.createPolicy(tenant: "acme", id: "logins", Tenant.policy(), by: "me")
      _ = try tenant.store.createPolicy(tenant: "acme", id: "new", Tenant.policy(["providers": ["none"]]), by: "me")
      _ = try tenant.store.deletePolicy(tenant: "acme", id: "none")
      _ = try tenant.store.deleteSuppression(tenant: "acme", id: "none")
      try other.makePolicy()
    }
    #expect(growth == 0)
  }

  @Test("A caller is told the epoch that the set of policies has")
  func caller() throws {
    let key = KeyForm.make()
    try tenant.store.createKey(key, tenant: "acme", KeyDraft(name: "k", role: .ingest))
    try tenant.makePolicy()
    guard case .granted(let caller) = try tenant.store.authenticate(KeyDigest(of: key), from: nil) else {
      Issue.record("the key is not good")
      return
    }
    #expect(try caller.policyEpoch == epoch())
  }

  @Test("Changes at once to one policy are all kept, and each is a step of the epoch")
  func concurrentChanges() throws {
    try tenant.makePolicy("logins", ["description": ""])
    let before = try epoch()
    let url = tenant.database.url
    _ = try onThreads(16) { number in
      try Store(url: url, timeouts: .patient).changePolicy(tenant: "acme", id: "logins") { stored in
        let description = (stored["description"]?.string ?? "") + "[\(number)]"
        let changed = Policy.document(stored, changedBy: ["description": .string(description)])
        return try Policy(json: .object(changed))
      }
    }
    let text = try tenant.store.policy(tenant: "acme", id: "logins")?.document["description"]?.string ?? ""
    #expect((0..<16).allSatisfy { text.contains("[\($0)]") }, "\(text)")
    #expect(try epoch() - before == 16)
  }

  @Test("A suppression's times are taken with every offset that RFC 3339 allows")
  func offsets() throws {
    let given = try suppression(
      "o", ["starts_at": "2026-05-07T10:00:00+23:59", "suppressed_until": "2099-01-01T00:00:00.5-23:59"])
    guard case .saved(let record) = try tenant.store.createSuppression(tenant: "acme", id: "s", given, by: "me") else {
      Issue.record("not saved")
      return
    }
    #expect(record.document["starts_at"] == "2026-05-06T10:01:00.000000Z")
    #expect(record.document["suppressed_until"] == "2099-01-01T23:59:00.500000Z")
  }
}
