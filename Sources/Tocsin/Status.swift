import ArgumentParser
import Store

/// A look at how the service is doing, from its database.
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell how each tenant is doing.",
    discussion: "Fails if the database cannot be reached or lacks migrations, so it serves as a check.")

  @Option(help: "The folder of the migrations.")
  var directory = "deploy/migrations"

  func run() throws {
    let missing = try Migrations(folder: directory).missing(from: Database.connect())
    guard missing.isEmpty else {
      let names = missing.map(\.name).joined(separator: ", ")
      throw Failure("the database lacks migrations, apply them with `tocsin migrate`: \(names)")
    }
    print("the database answers and has every migration")
    let tenants = try Database.store().status()
    printTable(
      ["TENANT", "POLICIES", "ACTIVE ALERTS", "PENDING", "OLDEST", "GIVEN UP", "THIS HOUR"],
      tenants.map { tenant in
        let decisions = tenant.decisionsThisHour.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        return [
          tenant.tenant, "\(tenant.enabledPolicies)", "\(tenant.activeAlerts)", "\(tenant.pendingDeliveries)",
          tenant.pendingDeliveries == 0 ? "-" : "\(tenant.oldestPendingSeconds) s", "\(tenant.lostDeliveries)",
          decisions.isEmpty ? "-" : decisions.joined(separator: ", "),
        ]
      })
  }
}
