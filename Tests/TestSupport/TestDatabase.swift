import Host
import Postgres
import Store

/// A database of a test's own, with the schema, on the server of `TOCSIN_TEST_DATABASE_URL`. It is gone when the test is.
package final class TestDatabase {
  /// Why there is no database for a test.
  package enum Failure: Error, CustomStringConvertible {
    /// The tests were not started by `deploy/test`.
    case noServer

    package var description: String { "TOCSIN_TEST_DATABASE_URL is not set: start the tests with deploy/test" }
  }

  /// The folder of the project's migrations.
  package static let migrations = checkout + "/deploy/migrations"

  /// The top of the checkout.
  package static let checkout = String(#filePath.split(separator: "/").dropLast(3).reduce("") { $0 + "/" + $1 })

  /// Where the database is.
  package let url: String
  private let name: String?

  /// Makes a database: migrated, or with nothing in it.
  package init(isEmpty: Bool = false) throws {
    let server = try Self.server()
    let template = isEmpty ? "template0" : try Self.template.get()
    let name = Identifier.make("tocsin_test_").filter { $0 != "-" }
    self.name = name
    url = Self.url(of: name, on: server)
    try Self.administer("CREATE DATABASE \(name) TEMPLATE \(template)")
  }

  /// The database of a server of the test's own, which ends with it.
  package init(on cluster: TestCluster) {
    name = nil
    url = cluster.url
  }

  deinit {
    guard let name else { return }
    do {
      try Self.administer("DROP DATABASE \(name) WITH (FORCE)")
    } catch {
      Log.error("a test's database is left behind", ["name": name, "error": "\(error)"])
    }
  }

  /// A connection to the database, which is waited for where the machine is busy.
  package func connect(timeouts: Timeouts = .patient) throws -> Connection {
    try Connection(url: url, timeouts: timeouts)
  }

  /// A store on the database, with a connection of its own.
  package func store() -> Store { Store(url: url) }

  /// The one column of text that a query gives.
  package func texts(_ query: String) throws -> [String] {
    try connect().run(Statement("query of a test", query)).map { $0.text(0) }
  }

  /// Runs SQL of the test's own.
  package func run(_ script: String) throws { try connect().run(script: script) }

  /// Waits out the last seconds of an `hour` or a `minute` of the server's clock, where something begins anew with the next one.
  package func avoidEnd(of unit: String, seconds: Int) throws {
    let isNear = """
      SELECT 'near' WHERE date_trunc('\(unit)', now() + interval '\(seconds) seconds') <> date_trunc('\(unit)', now())
      """
    try poll { try texts(isNear) == [] }
  }

  /// Runs SQL of the test's own on a connection to another database of the server, for what cannot be done from within.
  package func administer(_ command: String) throws { try Self.administer(command) }

  /// Closes all connections to a database and lets nobody in until the body has returned.
  package static func interrupt(_ name: String, while body: () throws -> Void) throws {
    try administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
    try administer("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
    let outcome = Result(catching: body)
    try administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
    try outcome.get()
  }

  private static func server() throws -> String {
    guard let url = Environment["TOCSIN_TEST_DATABASE_URL"] else { throw Failure.noServer }
    return url
  }

  /// The server's URL with another database in the place of its path.
  private static func url(of name: String, on server: String) -> String {
    let parts = server.split(separator: "?", maxSplits: 1)
    let path = parts[0].lastIndex(of: "/") ?? parts[0].endIndex
    return parts[0][..<path] + "/" + name + (parts.count > 1 ? "?" + parts[1] : "")
  }

  private static func administer(_ command: String) throws {
    var timeouts = Timeouts.patient
    timeouts.statement = 120
    try Connection(url: server(), timeouts: timeouts).run(script: command)
  }

  /// The name of a migrated database that tests copy, made by the first process that needs it and named after its migrations.
  private static let template = Result { try makeTemplate() }

  private static func makeTemplate() throws -> String {
    let migrations = try Migrations(folder: Self.migrations)
    var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in migrations.all.flatMap({ Array($0.sql.utf8) }) { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01b3 }
    let name = "tocsin_template_" + String(digest, radix: 36)
    let connection = try Connection(url: server())
    try connection.run(script: "SELECT pg_advisory_lock(1)")
    let look = Statement("look", "SELECT FROM pg_database WHERE datname = $1")
    if try !connection.run(look, .text(name)).isEmpty { return name }
    let draft = Identifier.make("tocsin_draft_").filter { $0 != "-" }
    try administer("CREATE DATABASE \(draft) TEMPLATE template0")
    _ = try migrations.apply(to: Connection(url: url(of: draft, on: server())))
    try administer("ALTER DATABASE \(draft) RENAME TO \(name)")
    return name
  }
}

extension Timeouts {
  /// For a test that asks a server which is there, and may be slow: many do at once.
  package static var patient: Timeouts {
    var timeouts = Timeouts()
    (timeouts.connect, timeouts.statement) = (60, 60)
    return timeouts
  }
}
