import Matching
import Store
import TestSupport
import Testing

@Suite("Rotating keys")
struct KeyRotationTests {
  let database: TestDatabase
  let store: Store
  let key = KeyForm.make()
  let old: Key

  init() throws {
    database = try TestDatabase()
    store = database.store()
    let draft = KeyDraft(name: "gateway", role: .ingest, allowedCIDRs: ["10.0.0.0/8"])
    old = try store.createKey(key, tenant: "acme", draft)
  }

  private func rotate(_ rotation: KeyRotation, to new: String = KeyForm.make()) throws -> KeyRotationOutcome {
    try store.rotateKey(id: old.id, tenant: "acme", to: new, rotation, by: "key-of-an-admin")
  }

  private func isGranted(_ key: String) throws -> Bool {
    if case .granted = try store.authenticate(KeyDigest(of: key), from: "10.0.0.1") { true } else { false }
  }

  @Test("The new key is like the old one, and both work until the overlap is over")
  func overlap() throws {
    let new = KeyForm.make()
    guard case .rotated(let made, let ending) = try rotate(KeyRotation(overlapSeconds: 3600), to: new) else {
      Issue.record("the key was not rotated")
      return
    }
    #expect(made.id != old.id)
    #expect((made.name, made.role, made.tenant) == (old.name, old.role, old.tenant))
    #expect(made.allowedCIDRs == old.allowedCIDRs)
    #expect(made.createdBy == "key-of-an-admin")
    #expect(made.expiresAt == nil)
    #expect((ending.id, ending.successorID) == (old.id, made.id))
    #expect(
      try database.texts(
        "SELECT (expires_at BETWEEN now() + '59 min' AND now() + '1 h')::text FROM api_keys WHERE successor_id IS NOT NULL"
      )
        == ["true"])
    #expect(try isGranted(key) && isGranted(new))
    #expect(try store.authenticate(KeyDigest(of: new), from: "192.0.2.1") == .elsewhere)
  }

  @Test("Without an overlap the old key is at its end at once")
  func noOverlap() throws {
    let new = KeyForm.make()
    _ = try rotate(KeyRotation(overlapSeconds: 0), to: new)
    #expect(try store.authenticate(KeyDigest(of: key), from: "10.0.0.1") == .expired)
    #expect(try isGranted(new))
  }

  @Test(
    "The new key lasts as long as the old one was to, unless it is told when it ends; the old one lasts no longer for it"
  )
  func lifetime() throws {
    try database.run(
      "UPDATE api_keys SET created_at = now() - interval '80 days', expires_at = now() + interval '10 days'")
    guard case .rotated(let made, let ending) = try rotate(KeyRotation(overlapSeconds: 20 * 86_400)) else {
      Issue.record("the key was not rotated")
      return
    }
    let lifetimes = "SELECT key_id || (expires_at - created_at)::text FROM api_keys ORDER BY created_at"
    #expect(try database.texts(lifetimes) == [ending.id + "90 days", made.id + "90 days"])
    let end = try #require(Timestamp("2999-01-01T00:00:00Z"))
    let outcome = try store.rotateKey(
      id: made.id, tenant: "acme", to: KeyForm.make(), KeyRotation(overlapSeconds: 1, expiresAt: end))
    guard case .rotated(let last, _) = outcome else {
      Issue.record("the key was not rotated")
      return
    }
    #expect(last.expiresAt == "2999-01-01T00:00:00.000000Z")
    #expect(last.createdBy == nil)
  }

  @Test("A key that has been replaced, has ended, or is another tenant's, cannot be rotated")
  func refused() throws {
    let rotation = KeyRotation(overlapSeconds: 60)
    #expect(try store.rotateKey(id: old.id, tenant: "other", to: KeyForm.make(), rotation) == .absent)
    guard case .rotated(let made, let ending) = try rotate(rotation) else {
      Issue.record("the key was not rotated")
      return
    }
    #expect(try rotate(rotation) == .ended(ending))
    _ = try store.revokeKey(id: made.id, tenant: "acme")
    guard case .ended(let revoked) = try store.rotateKey(id: made.id, tenant: "acme", to: KeyForm.make(), rotation)
    else {
      Issue.record("a revoked key was rotated")
      return
    }
    #expect(revoked.status == .revoked)
    #expect(try store.keys(tenant: "acme").count == 2)
    let past = try #require(Timestamp("2001-01-01T00:00:00Z"))
    let other = try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "x", role: .viewer))
    #expect(throws: KeyError.endsTooEarly) {
      try store.rotateKey(
        id: other.id, tenant: "acme", to: KeyForm.make(), KeyRotation(overlapSeconds: 1, expiresAt: past))
    }
  }

  @Test("Of many rotations at once one is done")
  func concurrently() throws {
    let (url, id) = (database.url, old.id)
    let outcomes = try onThreads(8) { _ in
      let store = Store(url: url, timeouts: .patient)
      return try store.rotateKey(id: id, tenant: "acme", to: KeyForm.make(), KeyRotation(overlapSeconds: 60))
    }
    #expect(outcomes.count { if case .rotated = $0 { true } else { false } } == 1)
    #expect(try store.keys(tenant: "acme").count == 2)
  }
}
