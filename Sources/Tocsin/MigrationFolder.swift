import ArgumentParser
import Glibc
import Store

/// Where a command takes the migrations from.
struct MigrationFolder: ParsableArguments {
  static let ofCheckout = "deploy/migrations"
  static let installed = "/usr/local/lib/tocsin/migrations"

  @Option(help: "The folder of the migrations. (default: \(ofCheckout) where there is one, or \(installed))")
  var directory: String?

  /// What is in the folder.
  var migrations: Migrations {
    get throws { try Migrations(folder: directory ?? usual) }
  }

  private var usual: String { access(Self.ofCheckout, F_OK) == 0 ? Self.ofCheckout : Self.installed }
}
