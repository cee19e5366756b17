import ArgumentParser
import Store

/// Brings the database's schema up to date.
struct Migrate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Apply the migrations that the database does not have yet.",
    discussion: "Safe at any time, and from several hosts at once: each migration is applied once, in a transaction.")

  @OptionGroup var folder: MigrationFolder

  func run() throws {
    let applied = try folder.migrations.apply(to: Database.connect())
    for migration in applied { print("applied \(migration.name)") }
    if applied.isEmpty { print("the database is up to date") }
  }
}
