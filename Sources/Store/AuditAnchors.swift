import Delivery
import Postgres

/// The head of a tenant's chain, for somebody outside to keep.
package struct AuditAnchor: Sendable {
  /// The tenant; empty for calls without a known key.
  package let tenant: String
  /// The last entry.
  package let head: AuditHead
}

extension Store {
  /// The most heads that are told at once.
  package static let anchorsAtOnce = 1000

  /// The heads that have changed since they were last told, as many as are told at once, and first those that were not told for
  /// longest; none as long as any was told in the last so many seconds.
  package func dueAnchors(seconds: Int) throws(PostgresError) -> [AuditAnchor] {
    try read(Self.dueAnchors, .int(seconds)).map { row in
      AuditAnchor(tenant: row.text(0), head: AuditHead(seq: row.int(1), hash: Hexadecimal.encoded(row.bytes(2))))
    }
  }

  private static let dueAnchors = Statement(
    "due_audit_anchors",
    """
    SELECT tenant_id, chain.seq, chain.hash
    FROM audit_chains AS chain
    LEFT JOIN audit_anchors AS anchor USING (tenant_id)
    WHERE chain.seq > coalesce(anchor.seq, 0)
      AND NOT EXISTS (
        SELECT
        FROM audit_anchors
        WHERE anchored_at > now() - $1 * interval '1 second'
      )
    ORDER BY anchored_at NULLS FIRST, tenant_id
    LIMIT \(anchorsAtOnce)
    """)

  /// Takes note that heads were told.
  package func noteAnchors(_ anchors: [AuditAnchor]) throws(PostgresError) {
    try write(Self.anchorNote, .texts(anchors.map(\.tenant)), .ints(anchors.map(\.head.seq)))
  }

  private static let anchorNote = Statement(
    "note_audit_anchors",
    """
    INSERT INTO audit_anchors AS anchor (tenant_id, seq)
    SELECT tenant_id, seq
    FROM unnest($1, $2) AS told (tenant_id, seq)
    ON CONFLICT (tenant_id) DO UPDATE
    SET seq = excluded.seq, anchored_at = now()
    """)
}
