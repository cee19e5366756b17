import Postgres
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

  @Test("A key tells whose it is and what it may do")
  func authenticate() throws {
    let key = KeyForm.make()
    let made = try store.createKey(key, tenant: "acme", name: "collector", role: .ingest)
    let caller = try #require(try store.authenticate(key: key))
    #expect(caller == Caller(tenant: "acme", keyID: made.id, role: .ingest, policyEpoch: 1))
    #expect(made.name == "collector")
    #expect(made.revokedAt == nil)
    #expect(made.createdAt.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/#) != nil)
  }

  @Test("A key that was never made is nobody's", arguments: ["", "test-token", "tocsin_", "a\0b", KeyForm.make()])
  func unknown(key: String) throws {
    try store.createKey(KeyForm.make(), tenant: "acme", name: "other", role: .admin)
    #expect(try store.authenticate(key: key) == nil)
  }

  @Test("A revoked key is nobody's from the next request on, and keeps the time it was revoked first")
  func revoke() throws {
    let key = KeyForm.make()
    let made = try store.createKey(key, tenant: "acme", name: "old", role: .viewer)
    #expect(try !store.revokeKey(id: made.id, tenant: "other"))
    #expect(try store.authenticate(key: key) != nil)
    #expect(try store.revokeKey(id: made.id, tenant: "acme"))
    #expect(try store.authenticate(key: key) == nil)
    let revokedAt = try store.keys(tenant: "acme").map(\.revokedAt)
    #expect(try store.revokeKey(id: made.id, tenant: "acme"))
    #expect(try store.keys(tenant: "acme").map(\.revokedAt) == revokedAt)
    #expect(revokedAt != [nil])
  }

  @Test("The keys of one tenant, or of all")
  func list() throws {
    for (tenant, name) in [("acme", "one"), ("umbrella", "two"), ("acme", "three")] {
      try store.createKey(KeyForm.make(), tenant: tenant, name: name, role: .operator)
    }
    #expect(try store.keys(tenant: "acme").map(\.name) == ["one", "three"])
    #expect(try store.keys(tenant: nil).map(\.name) == ["one", "three", "two"])
    #expect(try store.keys(tenant: "nobody") == [])
  }

  @Test("A key is stored as its digest alone, and never twice")
  func digest() throws {
    let key = KeyForm.make()
    try store.createKey(key, tenant: "acme", name: "a", role: .admin)
    #expect(
      try database.texts("SELECT encode(digest, 'hex') FROM api_keys")
        == database.texts("SELECT encode(sha256('\(key)'), 'hex')"))
    #expect(try database.texts("SELECT 'found' FROM api_keys WHERE api_keys::text LIKE '%\(key)%'") == [])
    let error = #expect(throws: PostgresError.self) {
      try store.createKey(key, tenant: "umbrella", name: "b", role: .admin)
    }
    #expect(error?.isUniqueViolation == true)
  }

  @Test("Keys are random and of one form")
  func form() {
    let keys = (0..<100).map { _ in KeyForm.make() }
    #expect(Set(keys).count == 100)
    #expect(keys.allSatisfy { $0.wholeMatch(of: #/tocsin_[0-9a-f]{72}/#) != nil })
    #expect(!keys.contains(where: KeyForm.isMistyped))
  }

  @Test("The checksum is the CRC-32 that other programs know")
  func checksum() {
    // zlib.crc32(b"tocsin_" + b"0" * 64) in Python.
    #expect(!KeyForm.isMistyped("tocsin_" + String(repeating: "0", count: 64) + "fd35aff8"))
  }

  @Test("A key in which one character is another, or two have changed places, is mistyped")
  func typos() {
    let key = Array(KeyForm.make())
    for place in key.indices.dropFirst(7) {
      for other in "0123456789abcdefOlA" where other != key[place] {
        var typo = key
        typo[place] = other
        #expect(KeyForm.isMistyped(String(typo)))
      }
      guard place + 1 < key.count, key[place] != key[place + 1] else { continue }
      var typo = key
      typo.swapAt(place, place + 1)
      #expect(KeyForm.isMistyped(String(typo)))
    }
  }

  @Test(
    "A key of another form is none that could be mistyped",
    arguments: [
      "", "tocsin_", "chosen-by-an-operator", "tocsin_" + String(repeating: "a", count: 64),
      "tocsin_" + String(repeating: "a", count: 71), "tocsin_" + String(repeating: "a", count: 73),
      "tocsin-" + String(repeating: "a", count: 72), "tocsin_" + String(repeating: "-", count: 72),
    ])
  func otherForms(key: String) { #expect(!KeyForm.isMistyped(key)) }

  @Test("A read goes on after the server has closed the connection")
  func reconnect() throws {
    let key = KeyForm.make()
    try store.createKey(key, tenant: "acme", name: "a", role: .admin)
    try database.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    #expect(try store.authenticate(key: key) != nil)
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
