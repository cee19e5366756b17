import ArgumentParser
import Host
import Store

/// Moves what is old from the audit log to a file.
struct ArchiveAudit: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "archive",
    abstract: "Move old entries to a file, one JSON object a line.",
    discussion: """
      Nothing is removed before the file is on the disk, nor of a chain that is broken. An entry says what was archived, \
      and tocsin audit verify goes on behind it, or through it with --archive. What a run that was ended has left to be \
      removed the next one removes. Where a syslog server gets the log, an entry is archived when it has been sent there.
      """)

  @Option(help: "Entries before this day begins in UTC, YYYY-MM-DD.")
  var before: String

  @Option(help: "The file, which must not be there yet.")
  var to: String

  @Option(help: "Only the chain of this tenant; '' for the calls without a known key.")
  var tenant: String?

  @Flag(help: "Also entries that have not been sent to the syslog server, which will never get them.")
  var unsent = false

  func validate() throws {
    guard before.wholeMatch(of: #/\d{4}-\d\d-\d\d/#) != nil else {
      throw ValidationError("--before takes a day such as 2026-05-07")
    }
  }

  func run() throws {
    let store = try Database.store()
    let chains = try store.auditChains(tenant: tenant)
    for chain in chains {
      let count = try removeArchived(chain, from: store)
      if count > 0 { print("removed \(count) entries of \(chain.name) that an earlier run has archived") }
    }
    let old = try chains.compactMap { chain in
      let through = try store.lastAuditEntry(tenant: chain.tenant, before: before)
      return through > chain.archived.seq ? (chain: chain, through: through) : nil
    }
    guard !old.isEmpty else { return print("there is nothing before \(before)") }
    let waiting = try old.filter { try !unsent && !store.isExported(tenant: $0.chain.tenant, through: $0.through) }
    if !waiting.isEmpty { throw Failure(Self.refusal(waiting.map(\.chain.name))) }
    var last: [AuditHead] = []
    try File.create(to) { write in
      last = try old.map { try copy($0.chain, through: $0.through, from: store, write) }
    }
    let archived = zip(old.map(\.chain), last)
    for (chain, head) in archived { try store.noteArchive(tenant: chain.tenant, through: head, file: to) }
    for (chain, head) in archived {
      let count = try removeArchived(chain, from: store)
      print("archived \(count) entries of \(chain.name), through \(head)")
    }
  }

  private static func refusal(_ names: [String]) -> String {
    let few = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
    return """
      the syslog server has not got all of \(few) yet: tocsin status says what keeps export-audit from sending it; with \
      --unsent it is archived all the same
      """
  }

  /// Removes what is in a file, a little at a time: who is about to add an entry does not wait for it. Answers how many.
  private func removeArchived(_ chain: AuditChainEnds, from store: Store) throws -> Int {
    var count = 0
    while true {
      let removed = try store.removeArchived(tenant: chain.tenant)
      if removed == 0 { return count }
      count += removed
    }
  }

  /// Writes entries of a chain up to one, and answers that.
  private func copy(
    _ chain: AuditChainEnds, through: Int, from store: Store, _ write: ([UInt8]) throws -> Void
  ) throws -> AuditHead {
    var check = AuditCheck(after: chain.archived)
    while check.last.seq < through {
      let entries = try store.auditEntries(tenant: chain.tenant, after: check.last.seq).filter { $0.seq <= through }
      for entry in entries {
        check.take(try AuditLink(entry))
        try write(entry.line + [UInt8(ascii: "\n")])
      }
      if entries.isEmpty { break }
    }
    if let found = check.breaks.first {
      throw Failure("the log of \(chain.name) is broken, so nothing was archived: \(found)")
    }
    return check.last
  }
}
