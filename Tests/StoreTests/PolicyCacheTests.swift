import Matching
import Postgres
import Store
import TestSupport
import Testing

@Suite("The cache of compiled policies")
struct PolicyCacheTests {
  let database: TestDatabase
  let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
  }

  /// Makes a tenant with one policy, whose id is the same for all tenants and whose `type` is not.
  private func makeTenant(_ name: String, type: String) throws {
    let tenant = try Tenant(in: database, name: name)
    try tenant.makePolicy("only", ["rules": [["field": "type", "operator": "eq", "value": .string(type)]]])
  }

  /// A caller of the tenant, as its key would be checked now.
  private func caller(_ tenant: String) throws -> Caller {
    let select = Statement("epoch of a test", "SELECT policy_epoch FROM tenants WHERE tenant_id = $1")
    let epoch = try database.connect().run(select, .text(tenant)).first?.int(0)
    return Caller(tenant: tenant, keyID: "k", role: .ingest, policyEpoch: try #require(epoch))
  }

  /// The types of which the tenant's policies, as the cache has them, match an event.
  private func types(_ tenant: String, _ cache: PolicyCache) throws -> [String] {
    let set = try cache.set(for: caller(tenant), in: store)
    return try ["a", "b", "c"].filter { type in
      var matches = MatchBatch()
      return try set.match(Array(#"{"type":"\#(type)"}"#.utf8).span, into: &matches) { "alert" }
    }
  }

  @Test("Tenants whose names are canonically equivalent have policies of their own")
  func equivalentNames() throws {
    let cache = PolicyCache()
    try makeTenant("caf\u{e9}", type: "a")
    try makeTenant("cafe\u{301}", type: "b")
    #expect(try types("caf\u{e9}", cache) == ["a"])
    #expect(try types("cafe\u{301}", cache) == ["b"])
    #expect(try types("caf\u{e9}", cache) == ["a"])
  }

  /// Changes all stored policies without a step of the epoch, so that it shows what is read again.
  private func changeUnnoticed(type: String) throws {
    try database.run(
      """
      UPDATE alert_policies
      SET document = regexp_replace(document::text, '"value":"[abc]"', '"value":"\(type)"')::json
      """)
  }

  @Test("A tenant's policies are read again where its epoch has changed, and not before")
  func epochs() throws {
    let cache = PolicyCache()
    try makeTenant("acme", type: "a")
    #expect(try types("acme", cache) == ["a"])
    try changeUnnoticed(type: "b")
    #expect(try types("acme", cache) == ["a"])
    try database.run("UPDATE tenants SET policy_epoch = policy_epoch + 1")
    #expect(try types("acme", cache) == ["b"])
  }

  @Test("Where memory runs out, the tenant goes that was not served for longest")
  func leastRecentlyUsed() throws {
    for tenant in ["one", "two", "three"] { try makeTenant(tenant, type: "a") }
    let size = try store.compiledPolicies(tenant: "one").size
    let cache = PolicyCache(limit: size * 5 / 2)
    for tenant in ["one", "two", "one", "three"] { #expect(try types(tenant, cache) == ["a"]) }
    try changeUnnoticed(type: "b")
    #expect(try types("one", cache) == ["a"])
    #expect(try types("three", cache) == ["a"])
    #expect(try types("two", cache) == ["b"])
  }

  @Test("The tenant in hand stays even where it alone is too large")
  func tooLarge() throws {
    let cache = PolicyCache(limit: 0)
    for tenant in ["one", "two"] { try makeTenant(tenant, type: "a") }
    #expect(try types("one", cache) == ["a"])
    try changeUnnoticed(type: "b")
    #expect(try types("one", cache) == ["a"])
    #expect(try types("two", cache) == ["b"])
    #expect(try types("one", cache) == ["b"])
  }

  @Test("A tenant whose policies cannot be read is not served by what it had before")
  func unreadable() throws {
    let cache = PolicyCache()
    try makeTenant("acme", type: "a")
    #expect(try types("acme", cache) == ["a"])
    try database.run("UPDATE alert_policies SET document = '{}'")
    try database.run("UPDATE tenants SET policy_epoch = policy_epoch + 1")
    let later = try caller("acme")
    for _ in 0..<2 { #expect(throws: UnreadableDocument.self) { try cache.set(for: later, in: store) } }
  }
}
