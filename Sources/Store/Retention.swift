import Host
import Postgres

/// What is removed some time after it has ended. The names are those of the settings that say after how many days.
package enum Kept: String, CaseIterable, Sendable {
  /// Deliveries that are settled, but not while their alert is open.
  case deliveries = "ALERTING_KEEP_DELIVERIES"
  /// Attempts at deliveries that are settled.
  case attempts = "ALERTING_KEEP_ATTEMPTS"
  /// What became of each event with an `event_id`, but not while its alert is open: for so long a repeat is harmless.
  case decisions = "ALERTING_KEEP_DECISIONS"
  /// What was decided, counted by the hour.
  case counts = "ALERTING_KEEP_COUNTS"
  /// The marks by which it can be found out whether a worker's last admission took effect.
  case admissions = "ALERTING_KEEP_ADMISSIONS"
  /// The latest alert of each throttle key that is in force no more.
  case throttles = "ALERTING_KEEP_THROTTLES"

  /// The days where the setting says nothing.
  package var usualDays: Int {
    switch self {
    case .deliveries, .attempts, .decisions: 90
    case .counts: 400
    case .throttles, .admissions: 30
    }
  }
}

/// For how many days each is kept.
package struct Retention: Sendable {
  private var days: [Kept: Int] = [:]

  /// As the environment has it; 0 is for ever.
  package static func configured() throws(InvalidSetting) -> Retention {
    var retention = Retention()
    for kept in Kept.allCases {
      retention.days[kept] = try Environment.number(
        kept.rawValue, of: "days", in: 0...36_500, usual: kept.usualDays)
    }
    return retention
  }

  /// The days; nil for ever.
  package subscript(kept: Kept) -> Int? {
    let days = days[kept] ?? kept.usualDays
    return days == 0 ? nil : days
  }
}

extension Store {
  /// Removes what has been kept for so many days, no more than `limit` rows, from a stretch of its table, in pages from 0; tells
  /// how many rows that were, and how many pages the table has. It takes no index, and as long for a large table as for a small
  /// one. What somebody else is at is left for the next time.
  package func remove(
    _ kept: Kept, days: Int, in blocks: Range<Int>, limit: Int
  ) throws(PostgresError) -> (rows: Int, blocks: Int) {
    let row = try write(
      kept.removal, .int(days), .text("(\(blocks.lowerBound),0)"), .text("(\(blocks.upperBound),0)"), .int(limit)
    ).first
    return (row?.int(0) ?? 0, row?.int(1) ?? 0)
  }
}

extension Kept {
  /// The statement that removes: `$1` days, `$2` and `$3` where the stretch begins and ends, `$4` how many rows.
  fileprivate var removal: Statement {
    switch self {
    case .deliveries: Self.deliveryRemoval
    case .attempts: Self.attemptRemoval
    case .decisions: Self.decisionRemoval
    case .counts: Self.countRemoval
    case .admissions: Self.admissionRemoval
    case .throttles: Self.throttleRemoval
    }
  }

  /// A delivery that waits needs the first of its alert: it goes on from that.
  private static let deliveryRemoval = Statement(
    "remove_deliveries",
    removal(
      from: "alert_deliveries",
      where: """
        kept.state <> 'pending'
        AND kept.updated_at < \(cutoff)
        AND \(isNotOfOpenAlert)
        AND NOT EXISTS (
          SELECT
          FROM alert_deliveries AS other
          WHERE other.alert_id = kept.alert_id AND other.tenant_id = kept.tenant_id AND other.state = 'pending'
          OFFSET 0
        )
        """))

  private static let attemptRemoval = Statement(
    "remove_attempts",
    removal(
      from: "alert_delivery_attempts",
      where: """
        kept.started_at < \(cutoff)
        AND NOT EXISTS (
          SELECT
          FROM alert_deliveries AS delivery
          WHERE delivery.tenant_id = kept.tenant_id
            AND delivery.delivery_id = kept.delivery_id
            AND delivery.state = 'pending'
          OFFSET 0
        )
        """))

  private static let decisionRemoval = Statement(
    "remove_decisions",
    removal(from: "alert_decisions", where: "kept.decided_at < \(cutoff) AND \(isNotOfOpenAlert)"))

  private static let countRemoval = Statement(
    "remove_decision_counts", removal(from: "alert_decision_counts", where: "kept.hour < \(cutoff)"))

  private static let admissionRemoval = Statement(
    "remove_admission_marks", removal(from: "alert_admission_marks", where: "kept.marked_at < \(cutoff)"))

  /// In force is a throttle by what it was when its key was last asked for, and by what its policy says today.
  private static let throttleRemoval = Statement(
    "remove_throttles",
    removal(
      from: "alert_throttles",
      where: """
        kept.last_alert_at < \(cutoff)
        AND kept.hour < \(cutoff)
        AND kept.last_alert_at + make_interval(mins => kept.throttle_minutes) < now()
        AND NOT EXISTS (
          SELECT
          FROM alert_policies AS policy
          WHERE policy.tenant_id = kept.tenant_id
            AND policy.policy_id = kept.policy_id
            AND kept.last_alert_at + make_interval(mins => policy.throttle_minutes) >= now()
          OFFSET 0
        )
        """))

  private static let cutoff = "now() - $1 * interval '1 day'"

  private static let isNotOfOpenAlert = """
    NOT EXISTS (
      SELECT
      FROM alerts AS alert
      WHERE alert.tenant_id = kept.tenant_id
        AND alert.alert_id = kept.alert_id
        AND alert.status IN ('active', 'acknowledged')
      OFFSET 0
    )
    """

  private static func removal(from table: String, where condition: String) -> String {
    """
    WITH old AS (
      SELECT kept.ctid
      FROM \(table) AS kept
      WHERE kept.ctid >= $2::tid
        AND kept.ctid < $3::tid
        AND \(condition)
      LIMIT $4
      FOR UPDATE OF kept SKIP LOCKED
    ),

    removed AS (
      DELETE FROM \(table)
      WHERE ctid = ANY (ARRAY(SELECT ctid FROM old))
      RETURNING tenant_id
    )

    SELECT
      (SELECT count(*) FROM removed),
      pg_relation_size('\(table)') / current_setting('block_size')::bigint
    """
  }
}
