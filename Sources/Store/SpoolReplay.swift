import Matching
import Postgres

/// How far a tenant's records of one segment of a spool have had their effects.
package struct SpoolMark: Sendable, Equatable {
  /// The segment's name.
  package let segment: String
  /// Where the tenant's next record may begin, in bytes.
  package let replayedTo: Int

  /// A mark in a segment.
  package init(segment: String, replayedTo: Int) {
    self.segment = segment
    self.replayedTo = replayedTo
  }
}

extension Store {
  /// Has the matches of spooled events their effects, as of the moment they came in (in microseconds since 1970), and notes how
  /// far that gets the tenant, all of it or nothing. False, and nothing done, if somebody else has got as far already.
  ///
  /// What ``admit(tenant:_:)`` says of its decisions holds here. However the connection is lost, the marks tell afterwards
  /// whether it took effect.
  package func replay(tenant: String, _ batch: MatchBatch, receivedAt: Int, to marks: [SpoolMark]) throws -> Bool {
    for _ in 1..<Self.conflictLimit {
      do {
        return try replayOnce(tenant: tenant, batch, receivedAt: receivedAt, to: marks)
      } catch let error as PostgresError where error.isConflict || error.isRepeatedEvent {
        continue
      }
    }
    return try replayOnce(tenant: tenant, batch, receivedAt: receivedAt, to: marks)
  }

  private func replayOnce(
    tenant: String, _ batch: MatchBatch, receivedAt: Int, to marks: [SpoolMark]
  ) throws -> Bool {
    let connection = try connected()
    do {
      try connection.transaction {
        try mark(marks, tenant: tenant, on: connection)
        // A statement has its time, which is enough for so many.
        for start in stride(from: 0, to: batch.matches.count, by: Self.matchesPerStatement) {
          let matches = batch.matches[start..<min(start + Self.matchesPerStatement, batch.matches.count)]
          try connection.run(
            batch.admission, Self.parameters(tenant: tenant, matches: matches, receivedAt: receivedAt))
        }
      }
    } catch is AlreadyReplayed {
      return false
    }
    return true
  }

  private static let matchesPerStatement = 2000

  private struct AlreadyReplayed: Error {}

  private func mark(_ marks: [SpoolMark], tenant: String, on connection: Connection) throws {
    let rows = try connection.run(
      Self.markReplayed, .text(tenant), .texts(marks.map(\.segment)), .ints(marks.map(\.replayedTo)))
    guard rows.count == marks.count else { throw AlreadyReplayed() }
  }

  private static let markReplayed = Statement(
    "mark_replayed",
    """
    INSERT INTO alert_spool_replays AS replay (tenant_id, segment, replayed_to)
    SELECT $1, segment, replayed_to
    FROM unnest($2, $3) AS mark (segment, replayed_to)
    ORDER BY segment
    ON CONFLICT (tenant_id, segment) DO UPDATE
    SET replayed_to = excluded.replayed_to, replayed_at = now()
    WHERE replay.replayed_to < excluded.replayed_to
    RETURNING segment
    """)

  /// How far a segment has been replayed, by tenant.
  package func replayMarks(segment: String) throws(PostgresError) -> [(tenant: String, replayedTo: Int)] {
    try read(Self.replayMarks, .text(segment)).map { (tenant: $0.text(0), replayedTo: $0.int(1)) }
  }

  private static let replayMarks = Statement(
    "replay_marks",
    """
    SELECT tenant_id, replayed_to
    FROM alert_spool_replays
    WHERE segment = $1
    """)

  /// Forgets how far segments were replayed, once they are gone.
  package func forgetReplay(segment: String) throws(PostgresError) { try write(Self.forgetReplay, .text(segment)) }

  private static let forgetReplay = Statement(
    "forget_replay",
    """
    DELETE FROM alert_spool_replays
    WHERE segment = $1
    """)

  /// Whether an admission of which nobody knew whether it took effect did: any of the alerts is there that it was to raise.
  package func hasAny(of alertIDs: [String], tenant: String) throws(PostgresError) -> Bool {
    try read(Self.hasAnyAlert, .text(tenant), .texts(alertIDs)).first?.bool(0) ?? false
  }

  private static let hasAnyAlert = Statement(
    "has_any_alert",
    """
    SELECT EXISTS (
      SELECT
      FROM alerts
      WHERE tenant_id = $1 AND alert_id = ANY ($2)
    )
    """)

  /// Until when a key may send events for a tenant, in microseconds since 1970: for ever (`Int.max`), to when it was revoked, or
  /// never (0). `digest` is its SHA-256 in hexadecimal digits.
  package func ingestEnd(ofKey digest: String, tenant: String) throws(PostgresError) -> Int {
    let roles = Role.allCases.filter { $0.allows(.ingest) }.map(\.rawValue)
    guard let row = try read(Self.ingestEnd, .text(digest), .text(tenant), .texts(roles)).first else { return 0 }
    return row.isNull(0) ? .max : row.int(0)
  }

  private static let ingestEnd = Statement(
    "ingest_end",
    """
    SELECT (extract(epoch FROM revoked_at) * 1000000)::bigint
    FROM api_keys
    WHERE digest = decode($1, 'hex')
      AND tenant_id = $2
      AND role = ANY ($3)
    """)
}
