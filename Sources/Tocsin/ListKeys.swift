import ArgumentParser
import Store

/// Lists keys, without the keys themselves.
struct ListKeys: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "List the API keys.")

  @Option(help: "Only the keys of this tenant.")
  var tenant: String?

  func run() throws {
    let keys = try Database.store().keys(tenant: tenant)
    printTable(
      ["TENANT", "KEY", "ROLE", "NAME", "CREATED", "REVOKED"],
      keys.map { [$0.tenant, $0.id, $0.role.rawValue, $0.name, $0.createdAt, $0.revokedAt ?? "-"] })
  }
}
