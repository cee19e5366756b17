import Delivery
import Host
import JSON
import Matching
import Store
import TestSupport
import Testing

@Suite("How much a tenant may have")
struct TenantLimitTests {
  private let database: TestDatabase
  private let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
    try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "first", role: .admin))
  }

  /// Rows as if they had been there for long: so many that nobody would want to wait for the entries of the audit log.
  private func fill(_ table: String, _ columns: String, _ values: String, count: Int) throws {
    try database.run(
      """
      SET session_replication_role = replica;
      INSERT INTO \(table) (tenant_id, \(columns))
      SELECT 'acme', \(values) FROM generate_series(1, \(count)) AS number;
      SET session_replication_role = origin;
      """)
  }

  private func isSaved(_ saving: Saving, limit: Int) -> Bool {
    switch saving {
    case .saved: return true
    case .full(let told):
      #expect(told == limit)
      return false
    case .refused, .taken, .absent:
      Issue.record("\(saving)")
      return false
    }
  }

  /// The last that there is room for is saved, and one more is not; another tenant has room of its own.
  private func expectLimit(_ limit: Int, _ create: (_ tenant: String, _ id: String) throws -> Saving) throws {
    #expect(isSaved(try create("acme", "last"), limit: limit))
    #expect(!isSaved(try create("acme", "more"), limit: limit))
    try store.createKey(KeyForm.make(), tenant: "other", KeyDraft(name: "first", role: .admin))
    #expect(isSaved(try create("other", "first"), limit: limit))
  }

  @Test("Policies are so many and no more")
  func policies() throws {
    let document: JSONValue = [
      "name": "p", "rules": [["field": "a", "operator": "eq", "value": 1]], "message_template": "m",
      "summary_template": "s", "providers": [],
    ]
    try fill(
      "alert_policies",
      "policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour, created_by",
      "'p' || number, '{}', false, 'high', '{}', '{}', 0, 0, 'test'", count: TenantLimit.policies - 1)
    try expectLimit(TenantLimit.policies) {
      try store.createPolicy(tenant: $0, id: $1, Policy(json: document), by: "test")
    }
  }

  @Test("Rules are so many and no more")
  func rules() throws {
    try fill(
      "alert_rules", "rule_id, document, enabled, created_by", "'r' || number, '{}', true, 'test'",
      count: TenantLimit.rules - 1)
    try expectLimit(TenantLimit.rules) {
      let rule = try Rule(json: ["name": "r", "field": "a", "operator": "eq", "value": 1])
      return try store.createRule(tenant: $0, id: $1, rule, by: "test")
    }
  }

  @Test("Providers are so many and no more")
  func providers() throws {
    try fill(
      "alert_providers", "provider_id, name, provider_type, enabled, config, created_by",
      "'p' || number, 'p', 'webhook', true, '{}', 'test'", count: TenantLimit.providers - 1)
    try expectLimit(TenantLimit.providers) {
      let provider = try Provider(
        json: ["name": "p", "provider_type": "webhook", "config": ["url": "https://example.com/"]])
      return try store.createProvider(tenant: $0, id: $1, provider, by: "test")
    }
  }

  @Test("Suppressions that are not over are so many and no more")
  func suppressions() throws {
    let columns = "suppression_id, document, starts_at, suppressed_until, created_by"
    try fill(
      "alert_suppressions", columns, "'over' || number, '{\"matchers\": []}', now() - interval '1 day', now(), 'test'",
      count: 100)
    try fill(
      "alert_suppressions", columns, "'s' || number, '{}', now(), now() + interval '1 day', 'test'",
      count: TenantLimit.suppressions - 1)
    try expectLimit(TenantLimit.suppressions) {
      let suppression = try Suppression(json: ["policy_id": "p", "suppressed_until": "2999-01-01T00:00:00Z"])
      return try store.createSuppression(tenant: $0, id: $1, suppression, by: "test")
    }
    func change(_ id: String, until time: String) throws -> Saving {
      try store.changeSuppression(tenant: "acme", id: id) { _ in
        try Suppression(json: ["policy_id": "p", "suppressed_until": .string(time)])
      }
    }
    #expect(isSaved(try change("last", until: "2999-01-02T00:00:00Z"), limit: TenantLimit.suppressions))
    #expect(!isSaved(try change("over1", until: "2999-01-01T00:00:00Z"), limit: TenantLimit.suppressions))
    try database.run("UPDATE alert_suppressions SET suppressed_until = now() WHERE suppression_id = 'last'")
    #expect(isSaved(try change("over1", until: "2999-01-01T00:00:00Z"), limit: TenantLimit.suppressions))
  }

  @Test("Keys that work are so many and no more")
  func keys() throws {
    let draft = KeyDraft(name: "k", role: .viewer)
    try fill(
      "api_keys", "key_id, name, digest, role, revoked_at",
      "'r' || number, 'k', sha256(('r' || number)::bytea), 'viewer', now()", count: 100)
    try fill(
      "api_keys", "key_id, name, digest, role", "'k' || number, 'k', sha256(number::text::bytea), 'viewer'",
      count: TenantLimit.keys - 2)
    let last = try store.createKey(KeyForm.make(), tenant: "acme", draft)
    #expect(throws: KeyError.tooMany) { try store.createKey(KeyForm.make(), tenant: "acme", draft) }
    #expect(throws: Never.self) { try store.createKey(KeyForm.make(), tenant: "other", draft) }
    #expect(try store.revokeKey(id: last.id, tenant: "acme"))
    #expect(throws: Never.self) { try store.createKey(KeyForm.make(), tenant: "acme", draft) }
  }

  @Test("Where there are as many keys as there may be, all of them can be rotated, and none of them again meanwhile")
  func rotatedKeys() throws {
    let values = "'%' || number, 'k', sha256(('%' || number)::bytea), 'viewer'"
    try fill(
      "api_keys", "key_id, name, digest, role, successor_id", values.replacing("%", with: "old") + ", 'new' || number",
      count: TenantLimit.keys - 1)
    try fill(
      "api_keys", "key_id, name, digest, role", values.replacing("%", with: "new"), count: TenantLimit.keys - 1)
    func rotate(_ id: String) throws -> KeyRotationOutcome {
      try store.rotateKey(id: id, tenant: "acme", to: KeyForm.make(), KeyRotation(overlapSeconds: 60))
    }
    guard case .rotated = try rotate("new1") else { throw KeyError.tooMany }
    #expect(throws: KeyError.tooMany) { try rotate("new2") }
    #expect(try rotate("none") == .absent)
    guard case .ended = try rotate("old1") else { throw KeyError.tooMany }
    #expect(try store.revokeKey(id: "old2", tenant: "acme"))
    guard case .rotated = try rotate("new2") else { throw KeyError.tooMany }
  }
}
