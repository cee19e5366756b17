import Foundation
import Host
import Postgres
import Store
import TestSupport
import Testing

@Suite("Migrations")
final class MigrationsTests {
  let database: TestDatabase
  let folder = FileManager.default.temporaryDirectory.appending(path: Identifier.make("migrations-"))

  init() throws {
    database = try TestDatabase(isEmpty: true)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    try write("0001_first.sql", "CREATE TABLE first (id integer); INSERT INTO first VALUES (1);")
    try write("0002_second.sql", "CREATE TABLE second (id integer);")
  }

  deinit {
    do { try FileManager.default.removeItem(at: folder) } catch { Issue.record(error) }
  }

  private func write(_ name: String, _ sql: String) throws {
    try Data(sql.utf8).write(to: folder.appending(path: name))
  }

  @discardableResult
  private func migrate() throws -> [String] {
    try Migrations(folder: folder.path).apply(to: database.connect()).map(\.name)
  }

  @Test("Each migration is applied once, in order")
  func once() throws {
    #expect(try migrate() == ["0001_first.sql", "0002_second.sql"])
    #expect(try migrate() == [])
    try write("0003_third.sql", "INSERT INTO first VALUES (3)")
    #expect(try migrate() == ["0003_third.sql"])
    #expect(try database.texts("SELECT id::text FROM first ORDER BY id") == ["1", "3"])
  }

  @Test("A migration that fails leaves nothing of itself, and those before it stay")
  func failing() throws {
    try write("0003_third.sql", "INSERT INTO first VALUES (3); SELECT 1 / 0;")
    let error = #expect(throws: PostgresError.self) { try self.migrate() }
    #expect(error?.refusal?.sqlState == "22012")
    #expect(try database.texts("SELECT id::text FROM first") == ["1"])
    try write("0003_third.sql", "INSERT INTO first VALUES (4)")
    #expect(try migrate() == ["0003_third.sql"])
  }

  @Test("A migration that was changed after it had been applied is refused")
  func changed() throws {
    try migrate()
    try write("0001_first.sql", "CREATE TABLE other (id integer)")
    #expect(throws: MigrationError.changed(name: "0001_first.sql")) { try self.migrate() }
  }

  @Test("A database with a migration that the code does not know is refused")
  func newerDatabase() throws {
    try migrate()
    try FileManager.default.removeItem(at: folder.appending(path: "0002_second.sql"))
    #expect(throws: MigrationError.newerDatabase(name: "0002_second.sql")) { try self.migrate() }
  }

  @Test("A gap in the numbers is refused before anything is applied", arguments: ["0004_gap.sql", "3_short.sql"])
  func gap(name: String) throws {
    try write(name, "SELECT 1")
    #expect(throws: MigrationError.misnumbered(name: name)) { try self.migrate() }
    #expect(try database.texts("SELECT relname::text FROM pg_class WHERE relname = 'first'") == [])
  }

  @Test("Of many that migrate at once each migration is applied by one")
  func concurrently() throws {
    let (path, url) = (folder.path, database.url)
    let applied = try onThreads(8) { _ in
      try Migrations(folder: path).apply(to: Connection(url: url)).map(\.name)
    }.flatMap { $0 }
    #expect(applied.sorted() == ["0001_first.sql", "0002_second.sql"])
  }

  @Test("Who may not migrate is told who may, and what there is to do is left to do")
  func forbidden() throws {
    try migrate()
    let login = Identifier.make("tocsin_test_login_").filter { $0 != "-" }
    try database.administer("CREATE ROLE \(login) LOGIN")
    defer {
      do {
        try database.run("DROP OWNED BY \(login)")
        try database.administer("DROP ROLE \(login)")
      } catch { Issue.record(error) }
    }
    let owner = try database.texts("SELECT current_user::text")[0]
    let url = database.url.replacing("user=tocsin", with: "user=\(login)")
    let apply = { try Migrations(folder: self.folder.path).apply(to: Connection(url: url)) }
    func forbidden(_ reason: String) -> MigrationError { .forbidden(login: login, owner: owner, reason: reason) }
    #expect(throws: forbidden("permission denied for table schema_migrations"), performing: apply)
    try database.run("GRANT SELECT ON schema_migrations TO \(login)")
    #expect(try apply() == [])
    try write("0003_third.sql", "CREATE TABLE third (id integer)")
    #expect(throws: forbidden("permission denied for schema public"), performing: apply)
    #expect(try migrate() == ["0003_third.sql"])
  }

  @Test(
    "Who may not make the programs' roles is told what to do, and sees nothing of tenants by owning the tables alone"
  )
  func owner() throws {
    let owner = Identifier.make("tocsin_test_owner_").filter { $0 != "-" }
    let name = try database.texts("SELECT current_database()::text")[0]
    try database.administer("CREATE ROLE \(owner) LOGIN")
    defer {
      do {
        try database.run("REASSIGN OWNED BY \(owner) TO tocsin; DROP OWNED BY \(owner)")
        try database.administer("DROP ROLE \(owner)")
      } catch { Issue.record(error) }
    }
    try database.administer("ALTER DATABASE \(name) OWNER TO \(owner)")
    let url = database.url.replacing("user=tocsin", with: "user=\(owner)")
    let migrations = try Migrations(folder: TestDatabase.migrations)
    // The roles are the whole cluster's, and have been made for another database.
    _ = try TestDatabase()
    let error = #expect(throws: PostgresError.self) { try migrations.apply(to: Connection(url: url)) }
    let remedy = "GRANT tocsin_programs, tocsin_key_check, tocsin_auditor TO \(owner)"
    #expect(error?.refusal?.message.contains("as a superuser run \(remedy), then migrate again") == true)
    try database.administer(remedy)
    let applied = try migrations.apply(to: Connection(url: url))
    #expect(applied.last == migrations.all.last)

    let store = Store(url: url, as: .operator)
    try store.createKey("key", tenant: "acme", KeyDraft(name: "k", role: .admin))
    #expect(try store.keys(tenant: nil).map(\.tenant) == ["acme"])
    #expect(try store.auditEntries(tenant: "acme", after: 0).map(\.kind) == ["key"])
    let count = Statement("count", "SELECT count(*) FROM alert_policies")
    try database.run(
      """
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes,
        max_alerts_per_hour, created_by
      )
      VALUES ('acme', 'p', '{}', true, 'high', '{}', '{}', 0, 0, 'tester')
      """)
    let refusal = #expect(throws: PostgresError.self) { try Connection(url: url).run(count) }
    #expect(refusal?.refusal?.message.contains("tocsin.tenant") == true)
    #expect(try database.connect().run(count)[0].int(0) == 1)
  }

  @Test("A database from before the programs' roles, which its login owns, is theirs once it was taken from the login")
  func upgrade() throws {
    _ = try TestDatabase()
    let login = Identifier.make("tocsin_test_login_").filter { $0 != "-" }
    let name = try database.texts("SELECT current_database()::text")[0]
    try database.administer("CREATE ROLE \(login) LOGIN")
    defer {
      do { try database.administer("DROP ROLE \(login)") } catch { Issue.record(error) }
    }
    try database.administer("ALTER DATABASE \(name) OWNER TO \(login)")
    let url = database.url.replacing("user=tocsin", with: "user=\(login)")
    let migrations = try Migrations(folder: TestDatabase.migrations)
    for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil) {
      try FileManager.default.removeItem(at: file)
    }
    for migration in migrations.all.prefix(10) { try write(migration.name, migration.sql) }
    let before = try Connection(url: url)
    _ = try Migrations(folder: folder.path).apply(to: before)
    try before.run(
      script: """
        INSERT INTO tenants (tenant_id) VALUES ('acme');
        INSERT INTO alert_rules (tenant_id, rule_id, document, enabled, created_by)
        VALUES ('acme', 'r', '{"name": "r"}', true, 'tester');
        """)
    let look = Statement("look", "SELECT rule_id FROM alert_rules")
    #expect(try before.run(look).map { $0.text(0) } == ["r"])

    try database.run("REASSIGN OWNED BY \(login) TO tocsin")
    #expect(try migrations.apply(to: database.connect()) == Array(migrations.all.dropFirst(10)))
    try database.run("GRANT tocsin_programs, tocsin_key_check TO \(login)")
    let store = Store(url: url, as: .rules, timeouts: .patient)
    store.actor = Actor(.job, id: "test", tenant: "acme")
    #expect(try store.rule(tenant: "acme", id: "r")?.id == "r")
    // A program from before that goes on is refused, and takes nothing for the answer.
    let error = #expect(throws: PostgresError.self) { try before.run(look) }
    #expect(error?.refusal?.sqlState == "42501")
  }

  @Test("The dump of the schema is that of the migrations")
  func schemaIsCurrent() throws {
    let migrated = try TestDatabase()
    let dump = Process()
    dump.executableURL = URL(filePath: TestDatabase.checkout + "/deploy/dump-schema")
    dump.arguments = [migrated.url]
    let output = Pipe()
    dump.standardOutput = output
    try dump.run()
    let text = try #require(try output.fileHandleForReading.readToEnd())
    dump.waitUntilExit()
    #expect(dump.terminationStatus == 0)
    let landed = try String(contentsOfFile: TestDatabase.checkout + "/deploy/schema.sql", encoding: .utf8)
    #expect(String(decoding: text, as: UTF8.self) == landed, "renew it with deploy/dump-schema")
  }
}
