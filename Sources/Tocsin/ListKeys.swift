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
      ["TENANT", "KEY", "ROLE", "STATUS", "CREATED", "EXPIRES", "LAST USED", "FROM", "NAME"],
      keys.map { key in
        let networks = key.allowedCIDRs.isEmpty ? "everywhere" : key.allowedCIDRs.joined(separator: ",")
        return [
          key.tenant, key.id, key.role.rawValue, key.status.rawValue, key.createdAt, key.expiresAt ?? "-",
          key.lastUsedAt ?? "-", networks, key.name,
        ]
      })
  }
}
