import ArgumentParser
import Store

/// The audit log.
struct Audit: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Verify, print and archive the audit log.",
    discussion: "Calls without a known key have a chain of their own, of the tenant ''.",
    subcommands: [VerifyAudit.self, ListAudit.self, ArchiveAudit.self])
}

/// Prints entries, for other programs to read.
struct ListAudit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "Print a tenant's entries, oldest first, as one JSON object a line.")

  @Option(help: "The tenant; '' for the calls without a known key.")
  var tenant: String

  @Option(help: "Only the entries behind this number.")
  var after = 0

  func run() throws {
    let store = try Database.store()
    var last = after
    while true {
      let entries = try store.auditEntries(tenant: tenant, after: last)
      guard let end = entries.last?.seq else { return }
      for entry in entries { print(String(decoding: entry.line, as: UTF8.self)) }
      last = end
    }
  }
}
