import Matching
import Postgres

/// A stretch of a spool's segment in which a tenant's records have their effects together, in bytes.
package struct SpoolStretch: Sendable, Equatable {
  /// The segment's name.
  package let segment: String
  /// Where the first of the records begins.
  package let from: Int
  /// Where the tenant's next record may begin.
  package let to: Int

  /// A stretch of a segment.
  package init(segment: String, from: Int, to: Int) {
    self.segment = segment
    self.from = from
    self.to = to
  }
}

/// What became of a replay.
package enum ReplayOutcome: Sendable {
  /// It is committed.
  case done
  /// Nothing was done: somebody else has replayed a part of it, perhaps a process that has ended since.
  case overtaken
  /// Nothing was done: the admission has had its effects that was tried before the events were spooled.
  case admittedBefore
}

extension Store {
  /// Has the matches of spooled events their effects, as of the moment they came in (in microseconds since 1970), and notes how
  /// far that gets the tenant, all of it or nothing.
  ///
  /// What ``admit(tenant:_:)`` says of its decisions holds here. However the connection is lost, and however long the server
  /// goes on with what it was sent, no stretch has its effects twice: who comes second waits for the first, and sees its mark. The
  /// same holds for the events of an admission that was tried before, of which `attempt` is the mark.
  package func replay(
    tenant: String, _ batch: MatchBatch, receivedAt: Int, of stretches: [SpoolStretch],
    after attempt: AdmissionMark? = nil
  ) throws -> ReplayOutcome {
    for _ in 1..<Self.conflictLimit {
      do {
        return try replayOnce(tenant: tenant, batch, receivedAt: receivedAt, of: stretches, after: attempt)
      } catch let error as PostgresError where error.isConflict || error.isRepeatedEvent {
        continue
      }
    }
    return try replayOnce(tenant: tenant, batch, receivedAt: receivedAt, of: stretches, after: attempt)
  }

  private func replayOnce(
    tenant: String, _ batch: MatchBatch, receivedAt: Int, of stretches: [SpoolStretch], after attempt: AdmissionMark?
  ) throws -> ReplayOutcome {
    let connection = try connected()
    do {
      try connection.transaction {
        try mark(stretches, tenant: tenant, on: connection)
        if let attempt, try !claim(attempt, tenant: tenant, on: connection) { throw AdmittedBefore() }
        // A statement has its time, which is enough for so many, also where the server is slow.
        for start in stride(from: 0, to: batch.matches.count, by: Self.matchesPerStatement) {
          let matches = batch.matches[start..<min(start + Self.matchesPerStatement, batch.matches.count)]
          try connection.run(
            batch.admission, Self.parameters(tenant: tenant, matches: matches, receivedAt: receivedAt), after: opening)
        }
      }
    } catch is Overtaken {
      return .overtaken
    } catch is AdmittedBefore {
      return .admittedBefore
    }
    return .done
  }

  private static let matchesPerStatement = 500

  private struct Overtaken: Error {}
  private struct AdmittedBefore: Error {}

  private func mark(_ stretches: [SpoolStretch], tenant: String, on connection: Connection) throws {
    let rows = try connection.run(
      Self.markReplayed,
      [
        .text(tenant), .texts(stretches.map(\.segment)), .ints(stretches.map(\.from)), .ints(stretches.map(\.to)),
      ], after: opening)
    guard rows.count == stretches.count else { throw Overtaken() }
  }

  private static let markReplayed = Statement(
    "mark_replayed",
    """
    INSERT INTO alert_spool_replays AS replay (tenant_id, segment, replayed_to)
    SELECT $1, segment, stretch.to
    FROM unnest($2, $3, $4) AS stretch (segment, "from", "to")
    ORDER BY segment
    ON CONFLICT (tenant_id, segment) DO UPDATE
    SET replayed_to = excluded.replayed_to, replayed_at = now()
    WHERE replay.replayed_to <= (
      SELECT stretch.from
      FROM unnest($2, $3) AS stretch (segment, "from")
      WHERE stretch.segment = replay.segment
    )
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

  /// Forgets how far a segment was replayed, once it is gone; and what was left behind a year ago by a host that is gone.
  package func forgetReplay(segment: String) throws(PostgresError) { try write(Self.forgetReplay, .text(segment)) }

  private static let forgetReplay = Statement(
    "forget_replay",
    """
    DELETE FROM alert_spool_replays
    WHERE segment = $1
      OR replayed_at < now() - interval '1 year'
    """)

  /// Until when a key may send events for a tenant, in microseconds since 1970: for ever (`Int.max`), to when it was revoked or
  /// expired, or never (0). `digest` is its SHA-256 in hexadecimal digits.
  package func ingestEnd(ofKey digest: String, tenant: String) throws(PostgresError) -> Int {
    let roles = Role.allCases.filter { $0.allows(.ingest) }.map(\.rawValue)
    guard let row = try read(Self.ingestEnd, .text(digest), .text(tenant), .texts(roles)).first else { return 0 }
    return row.isNull(0) ? .max : row.int(0)
  }

  private static let ingestEnd = Statement(
    "ingest_end",
    """
    SELECT (extract(epoch FROM least(revoked_at, expires_at)) * 1000000)::bigint
    FROM api_keys
    WHERE digest = decode($1, 'hex')
      AND tenant_id IN ($2, '\(Caller.platform)')
      AND role = ANY ($3)
    """)
}
