import Matching
import Store
import TestSupport
import Testing

@Suite("Keys")
struct KeysTests {
  let database: TestDatabase
  let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
  }

  @Test("A revoked key is nobody's from the next request on, and keeps the time it was revoked first")
  func revoke() throws {
    let key = KeyForm.make()
    let made = try store.createKey(key, tenant: "acme", KeyDraft(name: "old", role: .viewer))
    #expect(try !store.revokeKey(id: made.id, tenant: "other"))
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) != .unknown)
    #expect(try store.revokeKey(id: made.id, tenant: "acme"))
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .unknown)
    #expect(try store.key(tenant: "acme", id: made.id)?.status == .revoked)
    let revokedAt = try store.keys(tenant: "acme").map(\.revokedAt)
    #expect(try store.revokeKey(id: made.id, tenant: "acme"))
    #expect(try store.keys(tenant: "acme").map(\.revokedAt) == revokedAt)
    #expect(revokedAt != [nil])
  }

  @Test("The keys of one tenant, or of all")
  func list() throws {
    for (tenant, name) in [("acme", "one"), ("umbrella", "two"), ("acme", "three")] {
      try store.createKey(KeyForm.make(), tenant: tenant, KeyDraft(name: name, role: .operator))
    }
    #expect(try store.keys(tenant: "acme").map(\.name) == ["one", "three"])
    #expect(try store.keys(tenant: nil).map(\.name) == ["one", "three", "two"])
    #expect(try store.keys(tenant: "nobody") == [])
  }

  @Test("A key is stored as its digest alone, and never twice")
  func digest() throws {
    let key = KeyForm.make()
    try store.createKey(key, tenant: "acme", KeyDraft(name: "a", role: .admin))
    #expect(
      try database.texts("SELECT encode(digest, 'hex') FROM api_keys")
        == database.texts("SELECT encode(sha256('\(key)'), 'hex')"))
    #expect(try database.texts("SELECT 'found' FROM api_keys WHERE api_keys::text LIKE '%\(key)%'") == [])
    #expect(throws: KeyError.taken) {
      try store.createKey(key, tenant: "umbrella", KeyDraft(name: "b", role: .admin))
    }
    #expect(try store.storedKey(key)?.name == "a")
    #expect(try store.storedKey(KeyForm.make()) == nil)
  }

  @Test("A key cannot end before it begins")
  func earlyEnd() throws {
    let past = try #require(Timestamp("2001-01-01T00:00:00Z"))
    #expect(throws: KeyError.endsTooEarly) {
      try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "a", role: .viewer, expiresAt: past))
    }
    #expect(try store.keys(tenant: "acme") == [])
  }

  @Test("A page of the keys of one status, oldest first")
  func pages() throws {
    var ids: [String] = []
    for number in 1...5 {
      ids.append(
        try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "\(number)", role: .viewer)).id)
    }
    try store.createKey(KeyForm.make(), tenant: "other", KeyDraft(name: "x", role: .viewer))
    _ = try store.revokeKey(id: ids[1], tenant: "acme")
    let page = try store.keys(tenant: "acme", status: .active, page: Page(number: 2, size: 2))
    #expect(page.elements.map(\.id) == [ids[3], ids[4]])
    #expect(page.total == 4)
    let revoked = try store.keys(tenant: "acme", status: .revoked, page: Page(number: 1, size: 10))
    #expect(revoked.elements.map(\.id) == [ids[1]])
  }

  @Test("A role has its permissions and no others")
  func roles() {
    let permissions: [Permission] = [.ingest, .view, .operate, .administer]
    let allowed = Role.allCases.map { role in permissions.map { role.allows($0) } }
    #expect(
      allowed == [
        [true, false, false, false], [false, true, false, false], [false, true, true, false], [true, true, true, true],
      ])
  }
}
