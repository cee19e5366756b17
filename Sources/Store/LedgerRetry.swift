import Host
import Postgres

/// Whether a delivery is tried afresh.
package enum Retry: Sendable, Equatable {
  /// It is due now, or being attempted at this moment.
  case due
  /// It was sent already, and nobody said that it should be sent again.
  case sentAlready
  /// Its provider is switched off.
  case providerOff(providerID: String)
  /// Its provider was deleted.
  case providerGone(providerID: String)
  /// There is no such delivery.
  case absent
}

/// Which deliveries are to be tried afresh, beside what the filter says.
package struct Replay: Sendable {
  /// Which deliveries, and in which states.
  package var filter = DeliveryFilter()
  /// Those of the alerts of one policy.
  package var policyID: String?
  /// Those behind this one, as an earlier replay answered it.
  package var after: String?

  /// Whatever was given up.
  package init() { filter.states = [.failed, .dead] }
}

/// What a replay came to.
package struct ReplayResult: Sendable {
  /// How many deliveries are due now.
  package let retried: Int
  /// How many were left as they are: their provider is switched off or gone, or an attempt is under way.
  package let left: Int
  /// The delivery behind which the next replay goes on; nil where nothing is left to look at.
  package let next: String?
}

extension Store {
  /// Makes a delivery due now, whatever has become of it before, and even if its provider's breaker is open; one that was sent
  /// only if it is to be sent `again`, and then to all recipients. The schedule begins anew for it.
  package func retryDelivery(tenant: String, id: String, again: Bool) throws(PostgresError) -> Retry {
    guard Identifier.isUUID(id),
      let row = try change(Self.retry, .text(tenant), .text(id), .bool(again)).first
    else { return .absent }
    if row.text(0) == "sent" && !again { return .sentAlready }
    if row.isNull(1) { return .providerGone(providerID: row.text(2)) }
    return row.bool(1) ? .due : .providerOff(providerID: row.text(2))
  }

  private static let retry = Statement(
    "retry_delivery",
    """
    WITH found AS (
      SELECT
        delivery.tenant_id, delivery.delivery_id, delivery.state, delivery.provider_id,
        provider.enabled OR delivery.event = 'test' AND provider.enabled IS NOT NULL AS has_provider
      FROM alert_deliveries AS delivery
      LEFT JOIN alert_providers AS provider
        ON provider.tenant_id = delivery.tenant_id AND provider.provider_id = delivery.provider_id
      WHERE delivery.tenant_id = $1 AND delivery.delivery_id = $2::uuid
    ),

    retried AS (
      UPDATE alert_deliveries AS delivery
      SET next_attempt_at = 'epoch', \(afresh)
      FROM found
      WHERE delivery.tenant_id = found.tenant_id
        AND delivery.delivery_id = found.delivery_id
        AND (delivery.state <> 'sent' OR $3)
        AND \(isFree)
        AND found.has_provider
      RETURNING delivery.*
    ),

    \(sequels),

    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM retried
    )

    SELECT state, has_provider, provider_id, (SELECT count(*) FROM notified)
    FROM found
    """)

  /// Makes deliveries due now, oldest first, but no tests. One call looks at no more than 10,000 and takes no more than 1,000 of
  /// them; nil if there is no delivery to go on behind.
  package func retryDeliveries(tenant: String, _ replay: Replay) throws(PostgresError) -> ReplayResult? {
    let filter = replay.filter
    let rows = try change(
      DeliverySource(filter).replay, .text(tenant), .text(filter.alertID), .text(filter.providerID),
      .texts(filter.states?.map(\.rawValue)), .int(filter.start?.microseconds), .int(filter.end?.microseconds),
      .text(replay.policyID), .text(replay.after))
    guard let row = rows.first, row.bool(3) else { return nil }
    return ReplayResult(retried: row.int(0), left: row.int(1) - row.int(0), next: row.textOrNil(2))
  }

  /// What a retry sets. Under a lease that ran out unsettled the token stays: the next lease takes note of that attempt.
  fileprivate static let afresh = """
    state = 'pending', retried_at = now(), attempts_before = delivery.attempts, updated_at = now(),
    recipients = CASE WHEN delivery.state <> 'sent' THEN delivery.recipients END
    """

  /// With what is `retried` goes what was skipped because that had not been sent: an incident that is opened late is closed again.
  fileprivate static let sequels = """
    sequels AS (
      UPDATE alert_deliveries AS delivery
      SET next_attempt_at = now(), \(afresh)
      FROM (
        SELECT told.tenant_id, told.delivery_id
        FROM retried
        CROSS JOIN LATERAL (
          SELECT *
          FROM alert_deliveries
          WHERE alert_id = retried.alert_id
          OFFSET 0
        ) AS told
        WHERE retried.event = 'triggered'
          AND told.tenant_id = retried.tenant_id
          AND told.provider_id = retried.provider_id
          AND told.event IN ('acknowledged', 'resolved')
      ) AS sequel
      WHERE delivery.tenant_id = sequel.tenant_id
        AND delivery.delivery_id = sequel.delivery_id
        AND delivery.state = 'skipped'
    )
    """

  /// Whether nobody is attempting a delivery at this moment.
  fileprivate static let isFree = "(delivery.leased_until IS NULL OR delivery.leased_until <= now())"
}

extension DeliverySource {
  /// The statement that tries deliveries afresh: `$7` policy, `$8` the delivery to go on behind.
  fileprivate var replay: Statement {
    switch self {
    case .all: Self.replayOfAll
    case .givenUp: Self.replayOfGivenUp
    case .ofAlert: Self.replayOfAlert
    case .ofProvider: Self.replayOfProvider
    }
  }

  private static let replayOfAll = Statement("retry_deliveries", replay(of: .all))
  private static let replayOfGivenUp = Statement("retry_deliveries_given_up", replay(of: .givenUp))
  private static let replayOfAlert = Statement("retry_deliveries_of_alert", replay(of: .ofAlert))
  private static let replayOfProvider = Statement("retry_deliveries_of_provider", replay(of: .ofProvider))

  private static func replay(of source: DeliverySource) -> String { seen(of: source) + trial }

  /// The deliveries that are looked at, `seen`.
  private static func seen(of source: DeliverySource) -> String {
    """
    WITH mark AS (
      SELECT created_at, delivery_id
      FROM alert_deliveries
      WHERE tenant_id = $1 AND delivery_id = $8::uuid
    ),

    seen AS (
      SELECT tenant_id, delivery_id, alert_id, provider_id, held_back, created_at
      FROM \(source.rows)
        AND created_at >= greatest(\(start), (SELECT created_at FROM mark))
        AND created_at <= \(end)
        AND ($8 IS NULL OR (created_at, delivery_id) > (SELECT created_at, delivery_id FROM mark))
        AND \(fits)
        AND event <> 'test'
      ORDER BY created_at, delivery_id
      LIMIT 10000
    ),


    """
  }

  /// Which of them are wanted, and what is done to these. A delivery that another statement is at is left to it, so that no two
  /// ever wait for each other.
  private static let trial = """
    wanted AS (
      SELECT seen.*
      FROM seen
      LEFT JOIN LATERAL (
        SELECT policy_id
        FROM alerts
        WHERE $7 IS NOT NULL AND tenant_id = seen.tenant_id AND alert_id = seen.alert_id
        OFFSET 0
      ) AS alert ON true
      WHERE $7 IS NULL OR alert.policy_id = $7 OR seen.held_back ->> 'policy_id' = $7
      ORDER BY seen.created_at, seen.delivery_id
      LIMIT 1000
    ),

    taken AS (
      SELECT delivery.tenant_id, delivery.delivery_id
      FROM wanted
      JOIN alert_providers AS provider
        ON provider.tenant_id = wanted.tenant_id
        AND provider.provider_id = wanted.provider_id
        AND provider.enabled
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_deliveries AS delivery
        WHERE delivery.tenant_id = wanted.tenant_id
          AND delivery.delivery_id = wanted.delivery_id
          AND ($4 IS NULL OR delivery.state = ANY ($4))
          AND \(Store.isFree)
        FOR UPDATE SKIP LOCKED
      ) AS delivery
    ),

    retried AS (
      UPDATE alert_deliveries AS delivery
      SET next_attempt_at = now(), \(Store.afresh)
      FROM taken
      WHERE delivery.tenant_id = taken.tenant_id AND delivery.delivery_id = taken.delivery_id
      RETURNING delivery.*
    ),

    \(Store.sequels),

    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM (SELECT FROM retried LIMIT 1) AS pending
    ),

    -- Where the search ended before the end.
    reached AS (
      SELECT *
      FROM (SELECT created_at, delivery_id FROM wanted ORDER BY created_at, delivery_id OFFSET 999) AS last_wanted
      UNION ALL
      SELECT *
      FROM (SELECT created_at, delivery_id FROM seen ORDER BY created_at, delivery_id OFFSET 9999) AS last_seen
    )

    SELECT
      (SELECT count(*) FROM retried),
      (SELECT count(*) FROM wanted),
      (SELECT delivery_id::text FROM reached ORDER BY created_at, delivery_id LIMIT 1),
      $8 IS NULL OR EXISTS (SELECT FROM mark),
      (SELECT count(*) FROM notified)
    """
}
