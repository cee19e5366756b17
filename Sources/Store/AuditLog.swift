import Delivery
import Matching
import Postgres

/// Which entries of the audit log are meant; nil takes all.
package struct AuditFilter: Sendable {
  /// Those of one key, user, job or role.
  package var actor: String?
  /// Those of one action.
  package var action: String?
  /// Those about one kind of thing.
  package var kind: String?
  /// Those about one thing.
  package var id: String?
  /// Those of then or later.
  package var start: Timestamp?
  /// Those of then or earlier.
  package var end: Timestamp?
  /// Those before one of this number.
  package var before: Int?

  /// All entries.
  package init() {}
}

/// How far a tenant's chain goes.
package struct AuditChainEnds: Sendable, Equatable {
  /// The tenant; empty for calls without a known key.
  package let tenant: String
  /// The last entry.
  package let head: AuditHead
  /// The last entry that is in an archive and not here.
  package let archived: AuditHead

  /// The tenant in a sentence or a command.
  package var name: String { tenant.isEmpty ? "''" : tenant }
}

extension Store {
  /// The list has no more than the newest of those that fit: to count all of many millions would take seconds.
  private static let listedAuditEntries = 100_000

  /// A page of the tenant's audit log, newest first: of the newest 100,000 entries that fit.
  package func auditLog(
    tenant: String, _ filter: AuditFilter, page: Page
  ) throws(PostgresError) -> Listing<AuditEntry> {
    let rows = try read(
      Self.auditLogByPage, .text(tenant), .int(page.size), .int(page.offset), .text(filter.actor), .text(filter.action),
      .text(filter.kind), .text(filter.id), .int(filter.start?.microseconds), .int(filter.end?.microseconds),
      .int(filter.before))
    return Listing(rows: rows, limit: Self.listedAuditEntries) { AuditEntry(row: $0, from: 1) }
  }

  private static let auditLogByPage = Statement(
    "audit_log",
    """
    WITH matching AS NOT MATERIALIZED (
      SELECT *
      FROM audit_log
      WHERE tenant_id = $1
        AND ($4 IS NULL OR actor = $4)
        AND ($5 IS NULL OR action = $5)
        AND ($6 IS NULL OR kind = $6)
        AND ($7 IS NULL OR id = $7)
        AND ($8 IS NULL OR at >= timestamptz 'epoch' + $8 * interval '1 microsecond')
        AND ($9 IS NULL OR at <= timestamptz 'epoch' + $9 * interval '1 microsecond')
        AND ($10 IS NULL OR seq < $10)
    )
    SELECT total, \(AuditEntry.columns)
    FROM (SELECT count(*) AS total FROM (SELECT FROM matching LIMIT 100001) AS counted) AS whole
    LEFT JOIN (
      SELECT *
      FROM matching
      ORDER BY seq DESC
      LIMIT $2
      OFFSET least($3, 100000)
    ) AS page ON true
    ORDER BY seq DESC
    """)

  /// Up to 1,000 entries of a tenant's chain, in its order, behind one of them.
  package func auditEntries(tenant: String, after seq: Int) throws(PostgresError) -> [AuditEntry] {
    try read(Self.auditEntriesInOrder, .text(tenant), .int(seq)).map { AuditEntry(row: $0) }
  }

  private static let auditEntriesInOrder = Statement(
    "audit_entries",
    """
    SELECT \(AuditEntry.columns)
    FROM audit_log
    WHERE tenant_id = $1 AND seq > $2
    ORDER BY seq
    LIMIT 1000
    """)

  /// How far the chain of a tenant goes, or those of all: also where there are entries and no chain, or neither.
  package func auditChains(tenant: String?) throws(PostgresError) -> [AuditChainEnds] {
    try read(Self.auditChains, .text(tenant)).map(AuditChainEnds.init)
  }

  private static let auditChains = Statement(
    "audit_chains",
    """
    SELECT tenant_id, coalesce(seq, 0), coalesce(hash, none), coalesce(archived_seq, 0), coalesce(archived_hash, none)
    FROM (SELECT decode(repeat('00', 32), 'hex') AS none) AS beginning
    CROSS JOIN (
      SELECT tenant_id FROM audit_chains
      UNION
      SELECT tenant_id FROM audit_log
      UNION
      SELECT $1 WHERE $1 IS NOT NULL
    ) AS known (tenant_id)
    LEFT JOIN audit_chains USING (tenant_id)
    WHERE tenant_id = $1 OR $1 IS NULL
    ORDER BY tenant_id
    """)

  /// Runs reads that all see the database as it is at the first of them.
  package func inOneMoment<Value>(_ body: () throws -> Value) throws -> Value {
    try connected().transaction {
      try connected().run(Self.oneMoment)
      return try body()
    }
  }

  private static let oneMoment = Statement("one_moment", "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

  /// Takes the entries of a chain that are here, and tells the check where they have to end.
  package func verify(_ chain: AuditChainEnds, by check: inout AuditCheck) throws {
    var seq = chain.archived.seq
    while true {
      let entries = try auditEntries(tenant: chain.tenant, after: seq)
      guard let last = entries.last else { break }
      for entry in entries { check.take(try AuditLink(entry)) }
      seq = last.seq
    }
    check.expectArchived(through: chain.archived)
    check.end(at: chain.head)
  }

  /// The number of the last entry from before a day, `YYYY-MM-DD` in UTC, and before all later ones; 0 where there is none.
  package func lastAuditEntry(tenant: String, before day: String) throws(PostgresError) -> Int {
    try read(Self.lastAuditEntryBefore, .text(tenant), .text(day)).first?.int(0) ?? 0
  }

  private static let lastAuditEntryBefore = Statement(
    "last_audit_entry_before",
    """
    SELECT coalesce(min(seq) FILTER (WHERE at >= cutoff) - 1, max(seq), 0)
    FROM audit_log
    CROSS JOIN (SELECT $2::date::timestamp AT TIME ZONE 'UTC' AS cutoff) AS moment
    WHERE tenant_id = $1
    """)

  /// Has a tenant's chain say that its entries up to one are in a file, and that they may be removed.
  package func noteArchive(tenant: String, through entry: AuditHead, file: String) throws(PostgresError) {
    try change(Self.archival, .text(tenant), .int(entry.seq), .text(entry.hash), .text(file))
  }

  private static let archival = Statement("archive_audit_log", "SELECT audit_archive($1, $2, decode($3, 'hex'), $4)")

  /// Removes up to 1,000 of a tenant's entries that are in a file, the oldest first. Answers how many. Who adds an entry meanwhile
  /// does not wait for it.
  package func removeArchived(tenant: String) throws(PostgresError) -> Int {
    try write(Self.archivedRemoval, .text(tenant)).first?.int(0) ?? 0
  }

  private static let archivedRemoval = Statement(
    "remove_archived_audit_log", "SELECT audit_remove_archived($1, 1000)")
}

extension AuditChainEnds {
  fileprivate init(_ row: Row) {
    tenant = row.text(0)
    head = AuditHead(seq: row.int(1), hash: Hexadecimal.encoded(row.bytes(2)))
    archived = AuditHead(seq: row.int(3), hash: Hexadecimal.encoded(row.bytes(4)))
  }
}
