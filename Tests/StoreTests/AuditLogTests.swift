import Delivery
import JSON
import Postgres
import Store
import TestSupport
import Testing

@Suite("The audit log")
struct AuditLogTests {
  let tenant: Tenant

  /// A chain of seven entries: the first key, and six suppressions.
  init() throws {
    tenant = try Tenant()
    for number in 2...7 { try tenant.makeSuppression("s\(number)") }
  }

  private func breaks(anchor: AuditHead? = nil) throws -> [AuditBreak] {
    let chain = try chain()
    var check = AuditCheck(after: chain.archived, anchor: anchor)
    try tenant.store.verify(chain, by: &check)
    return check.breaks
  }

  private func chain() throws -> AuditChainEnds {
    try #require(try tenant.store.auditChains(tenant: tenant.name).first)
  }

  /// Runs what only a superuser can: with the triggers switched off.
  private func tamper(_ sql: String) throws {
    try tenant.database.run("SET session_replication_role = replica; \(sql)")
  }

  private func move(_ from: Int, to: Int) -> String { "UPDATE audit_log SET seq = \(to) WHERE seq = \(from);" }

  private func resetHead(to seq: Int) -> String {
    "UPDATE audit_chains SET seq = \(seq), hash = (SELECT hash FROM audit_log WHERE seq = \(seq));"
  }

  @Test("A chain as it was written is sound, from the first entry to its head")
  func sound() throws {
    let chain = try chain()
    #expect(chain.head.seq == 7)
    #expect(try breaks() == [])
    #expect(try breaks(anchor: chain.head) == [])
    let early = try tenant.store.auditEntries(tenant: tenant.name, after: 2)[0]
    #expect(try breaks(anchor: AuditHead(seq: 3, hash: early.hash)) == [])
  }

  @Test(
    "An entry that was changed is found, whatever was changed",
    arguments: [
      "actor = 'somebody'", "actor_type = 'job'", "address = '203.0.113.7'", "action = 'update'", "kind = 'rule'",
      "id = NULL", "at = at + interval '1 microsecond'", "before = '{}'", "after = (after::text || ' ')::json",
      "previous_hash = sha256('x')", "hash = sha256('x')",
    ])
  func changed(assignment: String) throws {
    try tamper("UPDATE audit_log SET \(assignment) WHERE seq = 4")
    #expect(try breaks() == [.changed(4)])
  }

  @Test(
    "An entry that was changed together with its hash is found by the next one, or by the head", arguments: [1, 4, 7])
  func rehashed(seq: Int) throws {
    try tamper(
      """
      UPDATE audit_log SET actor = 'somebody' WHERE seq = \(seq);
      UPDATE audit_log SET hash = sha256(convert_to(audit_canonical(audit_log), 'UTF8')) WHERE seq = \(seq);
      """)
    #expect(try breaks() == [.changed(seq)])
  }

  @Test("Entries that are missing are found")
  func missing() throws {
    try tamper("DELETE FROM audit_log WHERE seq IN (1, 4, 5)")
    #expect(try breaks() == [.missing(1...1), .missing(4...5)])
  }

  @Test("A chain that was cut off at its end is found by its head, and if that was set back, by one on record")
  func truncated() throws {
    let head = try chain().head
    try tamper("DELETE FROM audit_log WHERE seq > 5")
    #expect(try breaks() == [.missing(6...7)])
    try tamper(resetHead(to: 5))
    #expect(try breaks() == [])
    #expect(try breaks(anchor: head) == [.missing(6...7)])
    try tamper("DELETE FROM audit_log; DELETE FROM audit_chains")
    #expect(try breaks(anchor: head) == [.missing(1...7)])
  }

  @Test("A chain that was written anew is found by a head on record")
  func rewritten() throws {
    let head = try chain().head
    try tamper(
      """
      DELETE FROM audit_log WHERE seq > 5;
      \(resetHead(to: 5))
      SELECT audit_write('acme', 'create', 'rule', number::text, NULL, NULL) FROM generate_series(1, 5) AS number;
      """)
    #expect(try breaks() == [])
    #expect(try breaks(anchor: head) == [.otherHead(7)])
  }

  @Test("An entry that was added is found: behind the head, or between others that were moved for it")
  func added() throws {
    let copy = """
      INSERT INTO audit_log
      SELECT tenant_id, %, at, actor_type, actor, address, action, kind, id, before, after, previous_hash, hash
      FROM audit_log
      WHERE seq = 7;
      """
    try tamper(copy.replacing("%", with: "8"))
    #expect(try breaks() == [.added(8)])
    try tamper("DELETE FROM audit_log WHERE seq = 8;" + [7, 6, 5].map { move($0, to: $0 + 1) }.joined())
    try tamper(
      """
      INSERT INTO audit_log
      SELECT tenant_id, 5, at, 'key', 'forged', address, 'delete', 'policy', 'p', NULL, NULL, hash, hash
      FROM audit_log
      WHERE seq = 4;
      UPDATE audit_log SET hash = sha256(convert_to(audit_canonical(audit_log), 'UTF8')) WHERE seq = 5;
      """)
    #expect(
      try breaks() == [
        .moved(from: 5, to: 6), .added(5), .moved(from: 6, to: 7), .moved(from: 7, to: 8),
      ])
  }

  @Test("Entries that changed places are found, with the places they were at")
  func moved() throws {
    try tamper(move(3, to: 100) + move(6, to: 3) + move(100, to: 6))
    #expect(try breaks() == [.moved(from: 6, to: 3), .moved(from: 3, to: 6)])
  }

  @Test("An entry that was given to another tenant is missing in the one chain and changed in the other")
  func movedToAnotherTenant() throws {
    let other = try Tenant(in: tenant.database, name: "other")
    try tamper("UPDATE audit_log SET tenant_id = 'other', seq = 2 WHERE tenant_id = 'acme' AND seq = 4")
    #expect(try breaks() == [.missing(4...4)])
    let chain = try #require(try other.store.auditChains(tenant: "other").first)
    var check = AuditCheck(after: chain.archived)
    try other.store.verify(chain, by: &check)
    #expect(check.breaks == [.changed(2), .added(2)])
  }

  @Test("Nobody changes or removes an entry or a chain by plain SQL")
  func appendOnly() throws {
    let statements = [
      "UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log", "DELETE FROM audit_chains",
      "UPDATE audit_chains SET seq = seq - 1", "UPDATE audit_chains SET hash = '\\x00'", "TRUNCATE audit_chains",
      "UPDATE audit_chains SET tenant_id = 'x'",
    ]
    for statement in statements {
      let error = #expect(throws: PostgresError.self) { try tenant.database.run(statement) }
      #expect(error?.refusal?.sqlState == "42501", "\(statement)")
    }
    #expect(try breaks() == [])
  }

  @Test("What is given to another tenant by hand is gone by the log of the one, and new by that of the other")
  func givenAway() throws {
    try tenant.database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('other');
      UPDATE api_keys SET tenant_id = 'other';
      UPDATE alert_suppressions SET tenant_id = 'other' WHERE suppression_id = 's2';
      """)
    func entries(_ name: String) throws -> [String] {
      try tenant.store.auditEntries(tenant: name, after: name == tenant.name ? 7 : 0).map {
        "\($0.action) \($0.kind) \($0.before == nil) \($0.after == nil)"
      }
    }
    #expect(try entries(tenant.name) == ["delete key false true", "delete suppression false true"])
    #expect(try entries("other") == ["create key true false", "create suppression true false"])
    #expect(try breaks() == [])
  }

  @Test(
    "What the log tells of is not truncated, which would leave no entry",
    arguments: [
      "alert_policies", "alert_rules", "alert_providers", "alert_suppressions", "api_keys", "tenants CASCADE",
    ])
  func truncation(table: String) throws {
    let error = #expect(throws: PostgresError.self) { try tenant.database.run("TRUNCATE \(table)") }
    #expect(error?.refusal?.sqlState == "42501")
  }

  @Test("A change and its entry are written together or not at all")
  func together() throws {
    try tenant.database.run(
      """
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
      CREATE TRIGGER fail BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION fail();
      """)
    #expect(throws: PostgresError.self) { try tenant.makePolicy() }
    #expect(try tenant.store.policy(tenant: tenant.name, id: "logins") == nil)
    #expect(try chain().head.seq == 7)
  }

  @Test("Changes at once make one chain, each told of the one who made it", arguments: [true, false])
  func concurrency(prepares: Bool) throws {
    let (url, name) = (tenant.database.url, tenant.name)
    _ = try onThreads(8) { thread in
      let store = Store(url: url, prepares: prepares, timeouts: .patient)
      for number in 0..<10 {
        store.actor = Actor(.command, id: "user-\(thread)-\(number)")
        let policy = try Tenant.policy()
        _ = try store.createPolicy(tenant: name, id: "p-\(thread)-\(number)", policy, by: "tester")
      }
      store.actor = nil
      try store.createKey(KeyForm.make(), tenant: name, KeyDraft(name: "k", role: .viewer))
    }
    #expect(try breaks() == [])
    let entries = try tenant.store.auditEntries(tenant: tenant.name, after: 7)
    #expect(entries.count == 88)
    #expect(entries.filter { $0.kind == "policy" }.allSatisfy { $0.actor == "user-" + ($0.id?.dropFirst(2) ?? "") })
    #expect(entries.filter { $0.kind == "key" }.allSatisfy { $0.actorType == "database" && $0.actor == "tocsin" })
  }

  @Test("A line of an entry is its canonical form with the hash at its end")
  func line() throws {
    let entry = try tenant.store.auditEntries(tenant: tenant.name, after: 3)[0]
    let line = String(decoding: entry.line, as: UTF8.self)
    let canonical = line.replacing(#/,"hash":"[0-9a-f]*"}$/#, with: "}")
    #expect(Hexadecimal.encoded(Digest.sha256(Array(canonical.utf8))) == entry.hash)
    #expect(
      try tenant.database.texts("SELECT audit_canonical(audit_log) FROM audit_log WHERE seq = 4") == [canonical])
    #expect(try AuditLink(line: entry.line)?.hash == entry.hash)
    #expect(try AuditLink(line: Array(#"{"seq":1}"#.utf8)) == nil)
  }

  @Test("Texts of any kind are hashed alike here and in the database")
  func texts() throws {
    try tenant.database.run(
      """
      SELECT audit_write(
        'acme', 'refuse', 'call', (SELECT string_agg(chr(code), '') FROM generate_series(1, 700) AS code), NULL,
        json_build_object('a', E'x\\\\\\n\\r"', 'b', 'ü😀'))
      """)
    try tenant.database.run("SELECT audit_write('acme', 'x', 'y', '', E'{\\n\"a\":\\r\\n1.50e3}'::json, '\"\\u0000\"')")
    #expect(try chain().head.seq == 9)
    #expect(try breaks() == [])
  }

  @Test("A provider with U+0000 in its config is told with U+FFFD for it")
  func nul() throws {
    try tenant.database.run(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES ('acme', 'w', 'w', 'webhook', true, '{"url": "\\u0000\\\\u0000", "api_key": null, "headers": {}}', 'k')
      """)
    let entry = try #require(try tenant.store.auditEntries(tenant: tenant.name, after: 7).first)
    let after = try #require(try entry.after.map { try JSONValue(parsing: $0.bytes) }?.object)
    #expect(after["config"] == ["url": "\u{FFFD}\\u0000", "api_key": .null, "headers": .object(JSONObject())])
  }

  @Test("What was archived leaves the log, the chain says so and stays sound")
  func archive() throws {
    let head = try tenant.store.auditEntries(tenant: tenant.name, after: 4)[0]
    let through = AuditHead(seq: 5, hash: head.hash)
    #expect(throws: PostgresError.self) {
      try tenant.store.noteArchive(tenant: tenant.name, through: AuditHead(seq: 4, hash: head.hash), file: "f")
    }
    #expect(try tenant.store.removeArchived(tenant: tenant.name) == 0)
    try tenant.store.noteArchive(tenant: tenant.name, through: through, file: "f.jsonl")
    #expect(try breaks() == [])
    #expect(try tenant.store.removeArchived(tenant: tenant.name) == 5)
    #expect(try tenant.store.removeArchived(tenant: tenant.name) == 0)
    #expect(try tenant.store.auditEntries(tenant: tenant.name, after: 0).map(\.seq) == [6, 7, 8])
    #expect(try chain().archived == through)
    #expect(try breaks() == [])
    #expect(throws: PostgresError.self) { try tenant.database.run("DELETE FROM audit_log WHERE seq = 6") }

    try tamper("UPDATE audit_chains SET archived_seq = 6, archived_hash = (SELECT hash FROM audit_log WHERE seq = 6)")
    try tamper("DELETE FROM audit_log WHERE seq = 6")
    #expect(try breaks() == [.removed(through: 6)])
  }

  @Test("What is before a day is what is before all that is not")
  func beforeDay() throws {
    func last(_ day: String) throws -> Int { try tenant.store.lastAuditEntry(tenant: tenant.name, before: day) }
    #expect(try last("2999-01-01") == 7)
    #expect(try last("2001-01-01") == 0)
    try tamper("UPDATE audit_log SET at = '2000-12-31 23:59:59.999999+00' WHERE seq IN (1, 2, 4)")
    #expect(try last("2001-01-01") == 2)
    #expect(try last("2000-12-31") == 0)
    #expect(throws: PostgresError.self) { try last("2001-02-30") }
  }
}
