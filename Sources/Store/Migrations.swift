import Host
import Postgres

/// One step of the schema: a file `NNNN_words.sql`.
package struct Migration: Sendable, Equatable {
  /// Its place in the order, from 1.
  package let version: Int
  /// The file's name.
  package let name: String
  /// The file's text.
  package let sql: String
}

/// Why the migrations of a folder cannot be applied.
package enum MigrationError: Error, Equatable, CustomStringConvertible {
  /// The files are not numbered 0001, 0002 … without a gap.
  case misnumbered(name: String)
  /// A file differs from what was applied under its name.
  case changed(name: String)
  /// The database has a migration that the folder has not.
  case newerDatabase(name: String)
  /// The login may not do this, for a reason of PostgreSQL's.
  case forbidden(login: String, owner: String, reason: String)

  package var description: String {
    switch self {
    case .misnumbered(let name):
      "the migration \(name) is out of place: migrations are named NNNN_words.sql and numbered from 0001 without a gap"
    case .changed(let name):
      "the migration \(name) was changed after it had been applied: restore the file, and put the change in a new one"
    case .newerDatabase(let name):
      "the database is newer than this program: it has the migration \(name), so use the program that brought it"
    case .forbidden(let login, let owner, let reason):
      """
      the login \(login) may not migrate this database (\(reason)): set ALERTING_DATABASE_URL to that of \
      \(login == owner ? "" : "\(owner), who owns it, or of ")a superuser, for this command alone
      """
    }
  }
}

/// The way from an empty database to the schema of this code: forward only, each step once and in a transaction of its own.
package struct Migrations: Sendable {
  /// All steps in order.
  package let all: [Migration]

  /// Reads the `.sql` files of a folder.
  package init(folder: String) throws {
    let names = try File.names(in: folder).filter { $0.hasSuffix(".sql") }.sorted()
    all = try names.enumerated().map { index, name in
      let digits = name.prefix(4)
      guard digits.utf8.count == 4, name.dropFirst(4).first == "_", Int(digits) == index + 1 else {
        throw MigrationError.misnumbered(name: name)
      }
      let text = try File.read(folder + "/" + name)
      return Migration(version: index + 1, name: name, sql: String(decoding: text, as: UTF8.self))
    }
  }

  /// Applies what the database does not have yet, and answers it. Of several that do this at once, one works and the others
  /// wait and find it done. A step that fails leaves nothing of itself; the steps before it stay. Where there is nothing to do, it
  /// takes nobody who may do it.
  ///
  /// The connection's statement timeout has to be long enough for the longest step.
  package func apply(to connection: Connection) throws -> [Migration] {
    do {
      if try missing(from: connection).isEmpty { return [] }
      var applied: [Migration] = []
      while let migration = try applyNext(to: connection) { applied.append(migration) }
      return applied
    } catch let error as PostgresError where error.refusal?.sqlState == "42501" {
      let row = try connection.run(Self.owner)[0]
      throw MigrationError.forbidden(login: row.text(0), owner: row.text(1), reason: error.refusal?.message ?? "")
    }
  }

  private static let owner = Statement(
    "owner",
    """
    SELECT
      current_user::text,
      pg_get_userbyid(coalesce((SELECT relowner FROM pg_class WHERE oid = to_regclass('schema_migrations')), datdba))::text
    FROM pg_database
    WHERE datname = current_database()
    """)

  /// The steps that the database does not have yet. Changes nothing.
  package func missing(from connection: Connection) throws -> [Migration] {
    guard try connection.run(Self.tableName)[0].textOrNil(0) != nil else { return all }
    return try Array(all.dropFirst(check(connection.run(Self.applied, .texts(all.map(\.sql))))))
  }

  private static let tableName = Statement(
    "schema_migrations", "SELECT to_regclass('schema_migrations')::text")

  private func applyNext(to connection: Connection) throws -> Migration? {
    try connection.transaction {
      try connection.run(Self.lock)
      try connection.run(Self.table)
      let count = try check(connection.run(Self.applied, .texts(all.map(\.sql))))
      guard count < all.count else { return nil }
      let next = all[count]
      try connection.run(script: next.sql)
      try connection.run(Self.record, .int(next.version), .text(next.name), .text(next.sql))
      return next
    }
  }

  /// How many of the steps are applied. Throws where those are not the first of ours, to the letter.
  private func check(_ rows: Rows) throws -> Int {
    for (index, row) in rows.enumerated() {
      guard index < all.count else { throw MigrationError.newerDatabase(name: row.text(0)) }
      guard row.text(0) == all[index].name, row.bool(1) else { throw MigrationError.changed(name: row.text(0)) }
    }
    return rows.count
  }

  /// The number is any that no other program takes on the same database.
  private static let lock = Statement("lock_migrations", "SELECT pg_advisory_xact_lock(7021514210032)")

  private static let table = Statement(
    "create_schema_migrations",
    """
    CREATE TABLE IF NOT EXISTS schema_migrations (
      version integer PRIMARY KEY,
      name text NOT NULL,
      checksum bytea NOT NULL,
      applied_at timestamptz NOT NULL DEFAULT now()
    )
    """)

  private static let applied = Statement(
    "migrations",
    """
    SELECT name, coalesce(checksum = sha256(convert_to(sql, 'UTF8')), false)
    FROM schema_migrations
    LEFT JOIN unnest($1) WITH ORDINALITY AS file (sql, version) USING (version)
    ORDER BY version
    """)

  private static let record = Statement(
    "record_migration",
    """
    INSERT INTO schema_migrations (version, name, checksum)
    VALUES ($1, $2, sha256(convert_to($3, 'UTF8')))
    """)
}
