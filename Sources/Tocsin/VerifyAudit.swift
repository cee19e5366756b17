import ArgumentParser
import Host
import Store

/// Finds out whether the audit log is as it was written.
struct VerifyAudit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Tell whether an entry was changed, removed, added or moved, and which.",
    discussion: """
      Prints the head of each chain: keep it where the database's administrators cannot change it, and give it to a later \
      run as --head. Without one, somebody who may change everything in the database can cut a chain off at its end, or \
      write it anew. Fails if a chain is broken.
      """)

  @Option(help: "Only the chain of this tenant; '' for the calls without a known key.")
  var tenant: String?

  @Option(help: "A head that an earlier run printed, SEQ:HASH; goes with --tenant.")
  var head: String?

  @Option(help: "An archive, whose entries go before those of the database; several in the order of their entries.")
  var archive: [String] = []

  func validate() throws {
    guard let head else { return }
    if tenant == nil { throw ValidationError("--head is the head of one chain: say with --tenant of which") }
    if AuditHead(head) == nil { throw ValidationError("--head is SEQ:HASH, as tocsin audit verify prints it") }
  }

  func run() throws {
    let store = try Database.store()
    let anchor = head.flatMap { AuditHead($0) }
    let reports = try store.inOneMoment {
      let chains = try store.auditChains(tenant: tenant)
      var checks = try archivedParts(of: chains, anchor: anchor)
      return try chains.map { chain in
        var check = checks.removeValue(forKey: chain.tenant) ?? AuditCheck(after: chain.archived, anchor: anchor)
        if let anchor, anchor.seq < check.start.seq {
          throw Failure("entry \(anchor.seq) is in an archive: name that, and those that follow it, with --archive")
        }
        try store.verify(chain, by: &check)
        return (chain: chain, check: check)
      }
    }
    printTable(
      ["TENANT", "ENTRIES", "HEAD"],
      reports.map { [$0.chain.name, "\($0.check.last.seq - $0.check.start.seq)", "\($0.chain.head)"] })
    let broken = reports.flatMap { chain, check in check.breaks.map { "the log of \(chain.name): \($0)" } }
    for found in broken { print(found) }
    if !broken.isEmpty { throw ExitCode.failure }
  }

  /// The checks of the chains that have entries in the archives, as far as these go.
  private func archivedParts(of chains: [AuditChainEnds], anchor: AuditHead?) throws -> [String: AuditCheck] {
    let archivedSeqs = Dictionary(uniqueKeysWithValues: chains.map { ($0.tenant, $0.archived.seq) })
    var checks: [String: AuditCheck] = [:]
    for path in archive {
      var number = 0
      try File.forEachLine(of: path) { line in
        number += 1
        guard let link = try AuditLink(line: line) else {
          throw Failure("line \(number) of \(path) is not an entry of the audit log")
        }
        guard let archivedSeq = archivedSeqs[link.tenant], link.seq <= archivedSeq else { return }
        checks[link.tenant, default: AuditCheck(after: link.predecessor, anchor: anchor)].take(link)
      }
    }
    return checks
  }
}
