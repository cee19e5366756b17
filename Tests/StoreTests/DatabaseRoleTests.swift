import Foundation
import Host
import Matching
import Postgres
import TestSupport
import Testing

@testable import Store

/// What each program may do in the database, and what it may not.
@Suite("The programs' roles") struct DatabaseRoleTests {
  private let database: TestDatabase

  init() throws { database = try TestDatabase() }

  @Test("Every route and job has one, which a login can take, and which has nothing that would lift it above policies")
  func roles() throws {
    let folders = ["Routes", "Jobs"].map { TestDatabase.checkout + "/Sources/" + $0 }
    let programs = try folders.flatMap { try FileManager.default.contentsOfDirectory(atPath: $0) }
    let roles = programs.compactMap { DatabaseRole(program: $0) }
    #expect(roles.count == programs.count)
    #expect(Set(roles + [.operator]) == Set(DatabaseRole.allCases))

    let takeable = try database.texts(
      """
      SELECT role.rolname::text
      FROM pg_auth_members
      JOIN pg_roles AS role ON role.oid = roleid
      WHERE member = 'tocsin_programs'::regrole
      """)
    #expect(Set(takeable) == Set(DatabaseRole.allCases.map(\.rawValue)))
    let names = DatabaseRole.allCases.map(\.rawValue) + ["tocsin_programs", "tocsin_key_check", "tocsin_auditor"]
    let harmless = try database.texts(
      """
      SELECT rolname::text
      FROM pg_roles
      WHERE rolname = ANY ('{\(names.joined(separator: ","))}')
        AND NOT (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin OR rolinherit)
      """)
    #expect(Set(harmless) == Set(names))
  }

  @Test(
    "What writes the audit log for the programs does so as a role of its own, and finds nothing of theirs on its way")
  func definers() throws {
    let definers = try database.texts(
      """
      SELECT proname || ' ' || proowner::regrole || ' ' || proconfig::text
      FROM pg_proc
      WHERE prosecdef AND pronamespace = 'public'::regnamespace
      ORDER BY proname
      """)
    let expected = [
      "audit_archive", "audit_change", "audit_fold", "audit_note", "audit_refuse", "audit_remove_archived",
    ]
    #expect(definers == expected.map { "\($0) tocsin_auditor {\"search_path=public, pg_temp\"}" })
  }

  /// Runs SQL as the role of a program, for a tenant.
  private func attempt(_ sql: String, as role: DatabaseRole) throws {
    let store = Store(url: database.url, as: role)
    store.actor = Actor(.job, id: "test", tenant: "acme")
    try database.connect().run(Statement("attempt", sql), [], after: store.openingOfChange)
  }

  @Test("Nobody changes or removes an entry of the audit log, nor what it goes by", arguments: DatabaseRole.allCases)
  func auditLog(role: DatabaseRole) throws {
    var statements = [
      "UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log", "TRUNCATE audit_log",
      "INSERT INTO audit_log SELECT * FROM audit_log", "UPDATE audit_chains SET archived_seq = seq",
      "UPDATE audit_chains SET hash = ''", "DELETE FROM audit_chains", "TRUNCATE audit_chains",
      "INSERT INTO audit_chains (tenant_id) VALUES ('acme')", "DELETE FROM audit_refusals",
      "ALTER TABLE audit_log DISABLE TRIGGER ALL", "DROP TRIGGER append_only ON audit_log",
      "ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY", "SET session_replication_role = replica",
      "SELECT audit_append('acme', 'key', 'x', NULL, 'delete', 'policy', 'x', NULL, NULL)",
      "CREATE FUNCTION public.rfc3339(text) RETURNS text LANGUAGE sql RETURN $1",
    ]
    if role != .operator {
      statements += ["SELECT audit_archive('acme', 1, '', 'x')", "SELECT audit_remove_archived('acme', 1)"]
    }
    if role != .providers { statements.append("SELECT audit_note('acme', 'x', 'x', 'x', NULL, NULL)") }
    for statement in statements {
      let error = #expect(throws: PostgresError.self, "\(statement)") { try attempt(statement, as: role) }
      #expect(error?.refusal?.sqlState == "42501", "\(statement): \(String(describing: error))")
    }
  }

  @Test(
    "A program writes the audit log of the tenant that its transaction is for, and of no other",
    arguments: [
      (.rules, "audit_refuse(%, 'POST /', 403)"), (.providers, "audit_refuse(%, 'POST /', 403)"),
      (.providers, "audit_note(%, 'test', 'provider', 'p', NULL, NULL)"),
    ] as [(DatabaseRole, String)])
  func ownChain(role: DatabaseRole, call: String) throws {
    for tenant in ["'other'", "''", "NULL"] {
      let error = #expect(throws: PostgresError.self) {
        try attempt("SELECT \(call.replacing("%", with: tenant))", as: role)
      }
      #expect(error?.refusal?.message.contains("another tenant") == true, "\(tenant): \(String(describing: error))")
    }
    #expect(try database.texts("SELECT tenant_id FROM audit_chains") == [])
    try attempt("SELECT \(call.replacing("%", with: "'acme'"))", as: role)
    #expect(try database.texts("SELECT tenant_id || ' ' || seq FROM audit_chains") == ["acme 1"])
  }

  @Test(
    "What a program has no business with it does not get",
    arguments: [
      (.processEvent, "SELECT config FROM alert_providers"),
      (.processEvent, "UPDATE alert_policies SET enabled = false"),
      (.processEvent, "DELETE FROM alerts"), (.processEvent, "UPDATE alerts SET status = 'resolved'"),
      (.processEvent, "SELECT FROM audit_log"), (.processEvent, "UPDATE api_keys SET revoked_at = NULL"),
      (.policies, "SELECT digest FROM api_keys"), (.policies, "SELECT config FROM alert_providers"),
      (.policies, "SELECT FROM alerts"), (.rules, "UPDATE alert_policies SET enabled = false"),
      (.alerts, "SELECT config FROM alert_providers"), (.alerts, "UPDATE alerts SET event_data = '{}'"),
      (.alerts, "UPDATE alert_deliveries SET state = 'sent'"), (.deliveries, "SELECT config FROM alert_providers"),
      (.deliveries, "SELECT event_data FROM alerts"), (.deliveries, "DELETE FROM alert_delivery_attempts"),
      (.keys, "DELETE FROM api_keys"), (.keys, "SELECT FROM alert_providers"), (.keys, "SELECT FROM alerts"),
      (.providers, "SELECT FROM api_keys WHERE digest = ''"), (.providers, "SELECT FROM alerts"),
      (.auditLog, "SELECT FROM audit_refusals"), (.auditLog, "SELECT FROM alert_policies"),
      (.suppressions, "UPDATE alert_policies SET enabled = false"), (.suppressions, "SELECT FROM alert_rules"),
      (.health, "SELECT FROM tenants"), (.health, "UPDATE alert_job_runs SET ran_at = now()"),
      (.checkStorage, "SELECT config FROM alert_providers"), (.checkStorage, "SELECT held_back FROM alert_deliveries"),
      (.deliver, "SELECT FROM api_keys"), (.deliver, "UPDATE alert_providers SET config = '{}'"),
      (.exportAudit, "SELECT FROM alerts"), (.exportAudit, "SELECT FROM api_keys"),
      (.exportAudit, "SELECT FROM audit_refusals"),
      (.deliver, "DELETE FROM alerts"), (.deliver, "UPDATE alert_policies SET enabled = false"),
      (.replay, "SELECT config FROM alert_providers"), (.replay, "DELETE FROM alerts"),
      (.operator, "UPDATE alerts SET status = 'resolved'"), (.operator, "DELETE FROM api_keys"),
    ] as [(DatabaseRole, String)])
  func refused(role: DatabaseRole, statement: String) throws {
    let error = #expect(throws: PostgresError.self) { try attempt(statement, as: role) }
    #expect(error?.refusal?.sqlState == "42501", "\(String(describing: error))")
  }

  @Test("A login that is a member of one program's role has that program's work done, and takes no other role")
  func ownLogin() throws {
    let tenant = try Tenant(in: database, name: "acme")
    try tenant.makeProviders("hook")
    let login = Identifier.make("tocsin_test_login_").filter { $0 != "-" }
    try database.administer("CREATE ROLE \(login) LOGIN IN ROLE tocsin_policies, tocsin_key_check")
    defer {
      do { try database.administer("DROP ROLE \(login)") } catch { Issue.record(error) }
    }
    let url = database.url.replacing("user=tocsin", with: "user=\(login)")
    let key = KeyForm.make()
    try tenant.store.createKey(key, tenant: "acme", KeyDraft(name: "k", role: .admin))

    let store = Store(url: url, as: .policies)
    let caller = try store.authenticate(KeyDigest(of: key), from: nil)
    #expect(caller != .unknown)
    let policy = try Tenant.policy(["providers": ["hook"]])
    _ = try store.createPolicy(tenant: "acme", id: "p", policy, by: "k")
    #expect(try store.policy(tenant: "acme", id: "p")?.id == "p")
    #expect(try tenant.store.auditEntries(tenant: "acme", after: 3).map(\.kind) == ["policy"])
    for role in DatabaseRole.allCases where role != .policies {
      let other = Store(url: url, as: role)
      let error = #expect(throws: PostgresError.self) { try other.policy(tenant: "acme", id: "p") }
      #expect(error?.refusal?.message.contains("permission denied to set role") == true)
    }
    let connection = try Connection(url: url)
    for sql in [
      "SELECT name FROM api_keys", "SELECT FROM alert_providers WHERE config IS NULL", "DELETE FROM audit_log",
      "SET ROLE tocsin_auditor", "SET ROLE tocsin_programs",
    ] {
      let error = #expect(throws: PostgresError.self) { try connection.run(Statement("attempt \(sql)", sql)) }
      #expect(error?.refusal?.sqlState == "42501", "\(sql)")
    }
  }
}
