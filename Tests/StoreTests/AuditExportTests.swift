import Store
import TestSupport
import Testing

@Suite("The export of the audit log") struct AuditExportTests {
  private let database: TestDatabase
  private let store: Store

  init() throws {
    database = try TestDatabase()
    store = database.store()
  }

  private func add(_ count: Int, to tenant: String, size: Int = 0) throws {
    try database.run(
      """
      SELECT audit_append('\(tenant)', 'key', 'k', NULL, 'create', 'rule', 'r', NULL, to_json(repeat('x', \(size))))
      FROM generate_series(1, \(count))
      """)
  }

  /// What is to be exported, in order: tenant and number.
  private func backlog() throws -> [String] { try store.auditBacklog().map { "\($0.tenant) \($0.seq)" } }

  private func export() throws { try store.noteExport(of: store.auditBacklog().map(ExportedEntry.init)) }

  @Test("What is exported is not to be exported again, unless that is asked for")
  func cursor() throws {
    try add(3, to: "acme")
    try add(1, to: "other")
    let entries = try store.auditBacklog()
    #expect(try backlog() == ["acme 1", "acme 2", "acme 3", "other 1"])
    try store.noteExport(of: entries.map(ExportedEntry.init))
    #expect(try backlog() == [])
    try store.noteExport(of: entries.prefix(1).map(ExportedEntry.init))
    #expect(try backlog() == [])
    try store.repeatExport(of: entries[1...2].map(ExportedEntry.init))
    #expect(try backlog() == ["acme 2", "acme 3"])
    try store.repeatExport(of: entries.suffix(2).map(ExportedEntry.init))
    #expect(try backlog().sorted() == ["acme 2", "acme 3", "other 1"])
  }

  @Test("What has been exported is known, and where nothing ever was nobody waits for it")
  func exported() throws {
    try add(3, to: "acme")
    try add(1, to: "other")
    #expect(try store.isExported(tenant: "acme", through: 3))
    try store.noteExport(of: store.auditBacklog().prefix(2).map(ExportedEntry.init))
    #expect(try store.isExported(tenant: "acme", through: 2))
    #expect(try !store.isExported(tenant: "acme", through: 3))
    #expect(try !store.isExported(tenant: "other", through: 1))
  }

  @Test("A tenant with much to export holds up no other, and each gets its turn")
  func turns() throws {
    try add(250, to: "a")
    for number in 1...12 { try add(1, to: "t\(number)") }
    var seen: Set<String> = []
    for _ in 1...3 {
      let tenants = Set(try store.auditBacklog().map(\.tenant))
      #expect(tenants.count <= 10)
      seen.formUnion(tenants)
      #expect(try store.auditBacklog().count <= 109)
      try export()
    }
    #expect(seen.count == 13)
    #expect(try backlog() == [])
  }

  @Test("Large entries come a few at a time, and one by one if need be")
  func size() throws {
    try add(3, to: "acme", size: 1_500_000)
    #expect(try backlog() == ["acme 1", "acme 2"])
    try export()
    try add(2, to: "acme", size: 5_000_000)
    #expect(try backlog() == ["acme 3"])
    try export()
    #expect(try backlog() == ["acme 4"])
    try export()
    #expect(try backlog() == ["acme 5"])
  }

  @Test("A lease is one process's until it ends or is given back")
  func lease() throws {
    func take(_ holder: String) throws -> Bool { try store.takeLease(of: "job", for: holder, seconds: 60) }
    #expect(try take("a"))
    #expect(try take("a"))
    #expect(try !take("b"))
    #expect(try store.takeLease(of: "another job", for: "b", seconds: 60))
    try store.endLease(of: "job", for: "b")
    #expect(try !take("b"))
    try store.endLease(of: "job", for: "a")
    #expect(try take("b"))
    try database.run("UPDATE job_leases SET leased_until = now()")
    #expect(try take("a"))
    #expect(try !take("b"))
  }
}
