import Matching
import Postgres
import TestSupport
import Testing

@testable import Store

/// What PostgreSQL keeps apart where nothing else does: no statement here says of which tenant it wants rows, and every role has
/// every privilege.
@Suite("Row-level security") struct RowSecurityTests {
  private let database: TestDatabase

  /// Two tenants with rows in every table, and a call of nobody's on record.
  init() throws {
    database = try TestDatabase()
    for name in ["ours", "theirs"] { try Self.fill(Tenant(in: database, name: name)) }
    let store = database.store()
    store.actor = Actor(nil, address: "192.0.2.1")
    try store.noteRefusal(of: "POST /policies", status: 401)
    for told in ["audit_exports", "audit_anchors"] {
      try database.run("INSERT INTO \(told) (tenant_id, seq) SELECT tenant_id, seq FROM audit_chains")
    }
  }

  private static func fill(_ tenant: Tenant) throws {
    let name = tenant.name
    try tenant.makeProviders("hook")
    try tenant.makePolicy("logins", ["throttle_minutes": 60, "digest_minutes": 60, "providers": ["hook"]])
    try tenant.makeSuppression("night")
    let rule = try Rule(json: ["name": "Root", "field": "user", "operator": "eq", "value": "root"])
    _ = try tenant.store.createRule(tenant: name, id: "root", rule, by: "tester")
    var marks = AdmissionMark.Series()
    let matches = ["1", "2"].map { Tenant.match(eventID: $0) }
    _ = try tenant.store.admit(tenant: name, Tenant.batch(matches, hasDigest: true), leaving: [marks.next()])
    tenant.store.actor = Actor(
      Caller(tenant: name, keyID: "key", role: .viewer, policyEpoch: 1), address: "192.0.2.1")
    try tenant.store.noteRefusal(of: "POST /policies", status: 403)
    try tenant.database.run(
      """
      INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, started_at, verdict)
      SELECT tenant_id, delivery_id, 1, now(), 'sent' FROM alert_deliveries WHERE tenant_id = '\(name)';
      INSERT INTO alert_provider_health (tenant_id, provider_id) VALUES ('\(name)', 'hook');
      INSERT INTO alert_spool_replays (tenant_id, segment, replayed_to) VALUES ('\(name)', 'segment', 0);
      """)
  }

  /// The tables whose rows belong to tenants.
  private func tables() throws -> [String] {
    try database.texts(
      """
      SELECT relname::text
      FROM pg_class
      JOIN pg_attribute ON attrelid = pg_class.oid
      WHERE relkind IN ('r', 'p', 'm', 'v', 'f') AND relnamespace = 'public'::regnamespace AND attname = 'tenant_id'
      ORDER BY relname
      """)
  }

  /// The roles that a policy lets have all tenants' rows of a table.
  private func rolesForAllTenants(of table: String) throws -> Set<String> {
    Set(
      try database.texts(
        "SELECT unnest(roles)::text FROM pg_policies WHERE tablename = '\(table)' AND policyname <> 'tenant'"))
  }

  @Test(
    "Every table with tenants has it, and its owner is no exception; there are rows of both tenants to be kept apart")
  func everywhere() throws {
    let secured = try database.texts(
      "SELECT relname::text FROM pg_class WHERE relrowsecurity AND relforcerowsecurity ORDER BY relname")
    #expect(try tables() == secured)
    for table in secured {
      let tenants = try database.texts("SELECT DISTINCT tenant_id FROM \(table) WHERE tenant_id <> '' ORDER BY 1")
      #expect(tenants.starts(with: ["ours", "theirs"]), "\(table) lacks rows: \(tenants)")
      let policies = try database.texts(
        "SELECT policyname || ' ' || roles::text || ' ' || cmd FROM pg_policies WHERE tablename = '\(table)' ORDER BY 1"
      )
      #expect(policies.contains("tenant {public} ALL") && policies.count <= 2, "\(table): \(policies)")
    }
  }

  /// Runs SQL in a transaction that is rolled back, in a role with every privilege, and for one tenant. No trigger and no foreign
  /// key stands in its way.
  private func attempt(
    _ sql: String, as role: DatabaseRole, tenant: String, on connection: Connection
  ) throws -> [String] {
    try connection.run(script: "BEGIN; SET LOCAL session_replication_role = replica")
    defer {
      do { try connection.run(script: "ROLLBACK") } catch { Issue.record(error) }
    }
    try connection.run(script: "GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role.rawValue)")
    let opening = Store(url: database.url, as: role)
    opening.actor = Actor(.job, id: "test", tenant: tenant)
    return try connection.run(Statement("attempt \(sql)", sql), [], after: opening.opening).map { $0.text(0) }
  }

  @Test(
    "A role sees, changes and removes no other tenant's rows, and writes none, whatever it is asked",
    arguments: DatabaseRole.allCases)
  func keptApart(role: DatabaseRole) throws {
    let connection = try database.connect()
    for table in try tables() where try !rolesForAllTenants(of: table).contains(role.rawValue) {
      for sql in [
        "SELECT tenant_id FROM \(table)", "UPDATE \(table) SET tenant_id = tenant_id RETURNING tenant_id",
        "DELETE FROM \(table) RETURNING tenant_id",
      ] {
        let ours = try attempt(sql, as: role, tenant: "ours", on: connection)
        #expect(Set(ours) == ["ours"], "\(sql)")
        #expect(try attempt(sql, as: role, tenant: "", on: connection) == [], "\(sql)")
      }
      for sql in [
        "INSERT INTO \(table) (tenant_id) VALUES ('theirs')", "UPDATE \(table) SET tenant_id = 'theirs'",
      ] {
        let error = #expect(throws: PostgresError.self) {
          try attempt(sql, as: role, tenant: "ours", on: connection)
        }
        #expect(error?.refusal?.message.contains("row-level security") == true, "\(sql): \(String(describing: error))")
      }
    }
  }

  @Test("Where nobody has ever said which tenant is meant, that is an error, and no empty answer")
  func unnamed() throws {
    for table in try tables() where !(try rolesForAllTenants(of: table).contains(DatabaseRole.processEvent.rawValue)) {
      let connection = try database.connect()
      try connection.run(
        script: "BEGIN; GRANT SELECT ON \(table) TO tocsin_process_event; SET ROLE tocsin_process_event")
      let error = #expect(throws: PostgresError.self) {
        try connection.run(Statement("all", "SELECT tenant_id FROM \(table)"))
      }
      #expect(error?.refusal?.message.contains("tocsin.tenant") == true, "\(table)")
    }
  }

  @Test("A route's role is for one tenant at a time everywhere")
  func routes() throws {
    let jobs: Set<DatabaseRole> = [.checkStorage, .deliver, .exportAudit, .replay, .operator]
    let routes = DatabaseRole.allCases.filter { !jobs.contains($0) }.map(\.rawValue)
    for table in try tables() { #expect(try rolesForAllTenants(of: table).isDisjoint(with: routes), "\(table)") }
  }
}
