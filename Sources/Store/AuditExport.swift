import Postgres

/// An entry that has been sent outside.
package struct ExportedEntry: Sendable {
  /// The tenant.
  package let tenant: String
  /// Its number.
  package let seq: Int

  /// An entry.
  package init(_ entry: AuditEntry) { (tenant, seq) = (entry.tenant, entry.seq) }
}

extension Store {
  /// Entries that have not been exported, of ten tenants at the most and no more than a hundred of each, in the order of their chains;
  /// about 4 MB of them. First come those tenants of whose log nothing was exported for longest.
  package func auditBacklog() throws(PostgresError) -> [AuditEntry] {
    try read(Self.auditBacklog).map { AuditEntry(row: $0) }
  }

  private static let auditBacklog = Statement(
    "audit_backlog",
    """
    SELECT \(AuditEntry.columns)
    FROM (
      SELECT
        waiting.*,
        row_number() OVER in_order AS number,
        sum(coalesce(octet_length(before::text), 0) + coalesce(octet_length(after::text), 0)) OVER in_order AS size
      FROM (
        SELECT tenant_id, coalesce(export.seq, 0) AS exported_seq, exported_at
        FROM audit_chains AS chain
        LEFT JOIN audit_exports AS export USING (tenant_id)
        WHERE chain.seq > coalesce(export.seq, 0)
        ORDER BY exported_at NULLS FIRST, tenant_id
        LIMIT 10
      ) AS behind
      CROSS JOIN LATERAL (
        SELECT *
        FROM audit_log
        WHERE audit_log.tenant_id = behind.tenant_id AND seq > exported_seq
        ORDER BY seq
        LIMIT 100
      ) AS waiting
      WINDOW in_order AS (ORDER BY exported_at NULLS FIRST, waiting.tenant_id, seq)
    ) AS entry
    WHERE number = 1 OR size < 4000000
    ORDER BY number
    """)

  /// Takes note that entries have been exported, and all before them.
  package func noteExport(of entries: [ExportedEntry]) throws(PostgresError) {
    try write(Self.exportNote, .texts(entries.map(\.tenant)), .ints(entries.map(\.seq)))
  }

  private static let exportNote = Statement(
    "note_audit_export",
    """
    INSERT INTO audit_exports AS export (tenant_id, seq)
    SELECT tenant_id, max(seq)
    FROM unnest($1, $2) AS sent (tenant_id, seq)
    GROUP BY tenant_id
    ON CONFLICT (tenant_id) DO UPDATE
    SET seq = greatest(export.seq, excluded.seq), exported_at = now()
    """)

  /// Whether the log of a tenant has been exported up to an entry; also where no log ever was.
  package func isExported(tenant: String, through seq: Int) throws(PostgresError) -> Bool {
    try read(Self.isExported, .text(tenant), .int(seq))[0].bool(0)
  }

  private static let isExported = Statement(
    "is_audit_exported",
    """
    SELECT
      NOT EXISTS (SELECT FROM audit_exports)
      OR EXISTS (SELECT FROM audit_exports WHERE tenant_id = $1 AND seq >= $2)
    """)

  /// Has entries exported once more, and all behind them.
  package func repeatExport(of entries: [ExportedEntry]) throws(PostgresError) {
    try write(Self.exportRepeat, .texts(entries.map(\.tenant)), .ints(entries.map(\.seq)))
  }

  private static let exportRepeat = Statement(
    "repeat_audit_export",
    """
    UPDATE audit_exports AS export
    SET seq = first.seq - 1
    FROM (
      SELECT tenant_id, min(seq) AS seq
      FROM unnest($1, $2) AS sent (tenant_id, seq)
      GROUP BY tenant_id
    ) AS first
    WHERE export.tenant_id = first.tenant_id AND export.seq >= first.seq
    """)
}
