import Matching
import Postgres
import Store
import TestSupport
import Testing

@Suite("Who is let in by a key")
struct AuthenticationTests {
  let database: TestDatabase
  let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
  }

  /// Makes a key and answers it with what it is stored as.
  private func make(allowedCIDRs: [String] = []) throws -> (key: String, stored: Key, caller: Caller) {
    let key = KeyForm.make()
    let draft = KeyDraft(name: "collector", role: .ingest, allowedCIDRs: allowedCIDRs)
    let stored = try store.createKey(key, tenant: "acme", draft)
    return (key, stored, Caller(tenant: "acme", keyID: stored.id, role: .ingest, policyEpoch: 1))
  }

  @Test("A key tells whose it is and what it may do")
  func caller() throws {
    let (key, stored, caller) = try make()
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .granted(caller))
    #expect(stored.name == "collector")
    #expect(stored.status == .active)
    #expect([stored.revokedAt, stored.expiresAt, stored.lastUsedAt, stored.createdBy] == [nil, nil, nil, nil])
    #expect(stored.createdAt.wholeMatch(of: #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/#) != nil)
  }

  @Test("A key that was never made is nobody's", arguments: ["", "test-token", "tocsin_", "a\0b", KeyForm.make()])
  func unknown(key: String) throws {
    _ = try make()
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .unknown)
  }

  @Test("A key works until it expires, by the clock of the database")
  func expiry() throws {
    let (key, stored, caller) = try make()
    try database.run("UPDATE api_keys SET expires_at = now() + interval '1 hour'")
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .granted(caller))
    try database.run("UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now()")
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .expired)
    #expect(try store.key(tenant: "acme", id: stored.id)?.status == .expired)
  }

  @Test(
    "A key is good from its networks alone",
    arguments: [
      ("10.1.2.3", true), ("10.2.0.1", false), ("::ffff:10.1.2.3", true), ("192.0.2.7", true), ("192.0.2.8", false),
      ("2001:db8::5", true), ("2001:db9::5", false), ("", false), ("unix:", false), ("10.1.2.3, 1.1.1.1", false),
      (nil, false),
    ])
  func networks(address: String?, isAllowed: Bool) throws {
    let (key, _, caller) = try make(allowedCIDRs: ["10.1.0.0/16", "192.0.2.7", "2001:db8::/32"])
    #expect(try store.authenticate(KeyDigest(of: key), from: address) == (isAllowed ? .granted(caller) : .elsewhere))
  }

  @Test("What is stored as a network and is none lets nobody in")
  func damagedNetwork() throws {
    let (key, _, _) = try make()
    try database.run("UPDATE api_keys SET allowed_cidrs = '{nonsense,10.0.0.0/33}'")
    #expect(try store.authenticate(KeyDigest(of: key), from: "10.0.0.1") == .elsewhere)
  }

  @Test("A use is noted if none was for five minutes, and one that is refused is none")
  func lastUse() throws {
    let (key, _, _) = try make(allowedCIDRs: ["10.0.0.0/8"])
    let isRecent = "SELECT (last_used_at > now() - interval '1 minute')::text FROM api_keys"
    let moment = "SELECT coalesce(rfc3339(last_used_at), 'never') FROM api_keys"
    _ = try store.authenticate(KeyDigest(of: key), from: "192.0.2.1")
    #expect(try database.texts(moment) == ["never"])
    _ = try store.authenticate(KeyDigest(of: key), from: "10.0.0.1")
    #expect(try database.texts(isRecent) == ["true"])
    try database.run("UPDATE api_keys SET last_used_at = now() - interval '4 minutes'")
    let before = try database.texts(moment)
    _ = try store.authenticate(KeyDigest(of: key), from: "10.0.0.1")
    #expect(try database.texts(moment) == before)
    try database.run("UPDATE api_keys SET last_used_at = now() - interval '6 minutes'")
    _ = try store.authenticate(KeyDigest(of: key), from: "10.0.0.1")
    #expect(try database.texts(isRecent) == ["true"])
  }

  @Test("A use that cannot be noted refuses nobody, and nobody waits for it")
  func lastUseInVain() throws {
    let (key, stored, caller) = try make()
    let holder = try database.connect()
    try holder.run(script: "BEGIN; SELECT FROM api_keys FOR UPDATE")
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) == .granted(caller))
    try holder.run(script: "ROLLBACK")
    let name = try database.texts("SELECT current_database()::text")[0]
    try database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let reader = database.store()
    #expect(try reader.authenticate(KeyDigest(of: key), from: nil) == .granted(caller))
    #expect(try reader.key(tenant: "acme", id: stored.id)?.lastUsedAt == nil)
  }

  @Test("A key that is remembered is good for as long as it would be, and from where it would be")
  func remembered() {
    let caller = Caller(tenant: "acme", keyID: "key", role: .ingest, policyEpoch: 1)
    var callers = RecentCallers(firstKeyDigest: KeyDigest(of: "first").text)
    callers.note(KnownKey(caller, secondsLeft: 100, allowedCIDRs: ["10.0.0.0/8"]), KeyDigest(of: "a"), at: 1000)
    func judged(_ address: String?, _ now: Double) -> Authentication? {
      callers.authentication(KeyDigest(of: "a"), from: address, at: now)
    }
    #expect(judged("10.0.0.1", 1099) == .granted(caller))
    #expect(judged("192.0.2.1", 1099) == .elsewhere)
    #expect(judged(nil, 1099) == .elsewhere)
    #expect(judged("10.0.0.1", 1100) == .expired)
    callers.note(KnownKey(caller), KeyDigest(of: "a"), at: 1000)
    #expect(judged(nil, 1599) == .granted(caller))
    #expect(judged(nil, 1600) == nil)
    callers.forget(KeyDigest(of: "a"))
    #expect(judged(nil, 1001) == nil)
  }

  @Test("What was once found out about the first key counts more than that it is the first")
  func firstKey() {
    let caller = Caller(tenant: "default", keyID: "key", role: .admin, policyEpoch: 1)
    var callers = RecentCallers(firstKeyDigest: KeyDigest(of: "first").text)
    guard case .granted(let first) = callers.authentication(KeyDigest(of: "first"), from: nil, at: 1) else {
      Issue.record("the first key is not known")
      return
    }
    #expect(first.tenant == "default")
    callers.note(KnownKey(caller, secondsLeft: 5), KeyDigest(of: "first"), at: 1)
    #expect(callers.authentication(KeyDigest(of: "first"), from: nil, at: 7) == .expired)
    callers.note(KnownKey(caller, allowedCIDRs: ["10.0.0.0/8"]), KeyDigest(of: "first"), at: 10)
    for now in [20.0, 100_000] {
      #expect(callers.authentication(KeyDigest(of: "first"), from: "10.0.0.1", at: now) == .granted(caller))
      #expect(callers.authentication(KeyDigest(of: "first"), from: "192.0.2.1", at: now) == .elsewhere)
    }
    callers.forget(KeyDigest(of: "first"))
    #expect(callers.authentication(KeyDigest(of: "first"), from: "10.0.0.1", at: 21) == nil)
  }

  @Test("A read goes on after the server has closed the connection")
  func reconnect() throws {
    let key = KeyForm.make()
    try store.createKey(key, tenant: "acme", KeyDraft(name: "a", role: .admin))
    try database.run(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    #expect(try store.authenticate(KeyDigest(of: key), from: nil) != .unknown)
  }
}
