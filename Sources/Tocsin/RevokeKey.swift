import ArgumentParser
import Store

/// Ends a key.
struct RevokeKey: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "revoke",
    abstract: "Revoke an API key; the next request with it is refused.")

  @Option(help: "The tenant that the key belongs to.")
  var tenant: String

  @Argument(help: "The key's id, as `tocsin keys list` tells it.")
  var id: String

  func run() throws {
    guard try Database.store().revokeKey(id: id, tenant: tenant) else {
      throw Failure("the tenant \(tenant) has no key \(id)")
    }
    print("revoked \(id)")
  }
}
