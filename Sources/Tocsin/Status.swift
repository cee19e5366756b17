import ArgumentParser
import Store

/// A look at how the service is doing, from its database.
struct Status: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell how each job and each tenant is doing.",
    discussion:
      "Fails if the database cannot be reached or lacks migrations, or a job does not run: it serves as a check.")

  @OptionGroup var folder: MigrationFolder

  func run() throws {
    let missing = try folder.migrations.missing(from: Database.connect())
    guard missing.isEmpty else {
      let names = missing.map(\.name).joined(separator: ", ")
      throw Failure("the database lacks migrations, apply them with `tocsin migrate`: \(names)")
    }
    print("the database answers and has every migration")
    let store = try Database.store()
    printTable(
      ["JOB", "HOST", "LAST RUN", "AGO", "WARNINGS"],
      try store.jobRuns().map { run in
        let host = run.host.isEmpty ? "has not run" : run.host
        let warnings = run.warnings.isEmpty ? "-" : run.warnings.joined(separator: "; ")
        return [run.job, host, run.ranAt, "\(run.age) s", warnings]
      })
    print()
    let tenants = try store.status()
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
    let overdue = try store.latestRuns().filter(\.isOverdue).map(\.job)
    if !overdue.isEmpty { throw Failure("jobs have not run for three minutes: " + overdue.joined(separator: ", ")) }
  }
}
