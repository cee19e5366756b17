import Host
import Matching
import Postgres

/// Which deliveries are meant; nil takes all.
package struct DeliveryFilter: Sendable {
  /// Those of one alert.
  package var alertID: String?
  /// Those to one provider.
  package var providerID: String?
  /// Those in one of these states.
  package var states: [DeliveryState]?
  /// Those written then or later.
  package var start: Timestamp?
  /// Those written then or earlier.
  package var end: Timestamp?

  /// All deliveries.
  package init() {}
}

extension Store {
  /// One delivery with its latest attempts, 100 at most; nil if there is none of that id.
  package func delivery(tenant: String, id: String) throws(PostgresError) -> LedgerEntry? {
    guard Identifier.isUUID(id) else { return nil }
    return try read(Self.deliveryByID, .text(tenant), .text(id)).first.map {
      LedgerEntry(row: $0, from: 0, tenant: tenant, attempts: true)
    }
  }

  private static let deliveryByID = Statement(
    "delivery",
    """
    SELECT \(LedgerEntry.columns), coalesce(tried.attempts, '[]')
    FROM alert_deliveries AS delivery
    LEFT JOIN LATERAL (
      SELECT
        json_agg(
          json_build_object(
            'attempt', attempt, 'started_at', rfc3339(started_at), 'ended_at', rfc3339(ended_at),
            'latency_ms', round(extract(epoch FROM ended_at - started_at) * 1000), 'status', status,
            'answer', answer, 'verdict', verdict, 'reason', reason)
          ORDER BY attempt
        ) AS attempts
      FROM (
        SELECT *
        FROM alert_delivery_attempts
        WHERE tenant_id = delivery.tenant_id AND delivery_id = delivery.delivery_id
        ORDER BY attempt DESC
        LIMIT 100
      ) AS latest
    ) AS tried ON true
    WHERE delivery.tenant_id = $1 AND delivery.delivery_id = $2::uuid
    """)

  /// The list has no more than the newest of those that fit: to count all of many millions would take seconds.
  private static let listed = 100_000

  /// A page of the tenant's deliveries, newest first: of the newest 100,000 of those that fit.
  package func deliveries(
    tenant: String, _ filter: DeliveryFilter, page: Page
  ) throws(PostgresError) -> Listing<LedgerEntry> {
    let rows = try read(
      DeliverySource(filter).listing, .text(tenant), .text(filter.alertID), .text(filter.providerID),
      .texts(filter.states?.map(\.rawValue)), .int(filter.start?.microseconds), .int(filter.end?.microseconds),
      .int(page.size), .int(page.offset))
    return Listing(rows: rows, limit: Self.listed) { LedgerEntry(row: $0, from: 1, tenant: tenant, attempts: false) }
  }

  /// Whether some of the deliveries that tell of alerts being raised wait or are being attempted.
  package func hasPendingDeliveries(tenant: String, alertIDs: [String]) throws(PostgresError) -> Bool {
    try read(Self.pendingDeliveries, .text(tenant), .texts(alertIDs)).first?.bool(0) ?? false
  }

  private static let pendingDeliveries = Statement(
    "pending_deliveries",
    """
    SELECT EXISTS (
      SELECT
      FROM \(tellings)
      WHERE delivery.tenant_id = $1 AND delivery.event = 'triggered' AND delivery.state = 'pending'
    )
    """)

  /// The states of the deliveries that tell of alerts being raised, by alert, in the order of the providers' ids.
  package func deliveryStates(
    tenant: String, alertIDs: [String]
  ) throws(PostgresError) -> [String: [(providerID: String, state: String)]] {
    let rows = try read(Self.deliveryStatesOfAlerts, .text(tenant), .texts(alertIDs))
    let states = rows.map { ($0.text(0), Array(zip($0.texts(1), $0.texts(2))).map { (providerID: $0, state: $1) }) }
    return Dictionary(uniqueKeysWithValues: states)
  }

  private static let deliveryStatesOfAlerts = Statement(
    "delivery_states",
    """
    SELECT
      delivery.alert_id,
      array_agg(delivery.provider_id ORDER BY delivery.provider_id),
      array_agg(delivery.state ORDER BY delivery.provider_id)
    FROM \(tellings)
    WHERE delivery.tenant_id = $1 AND delivery.event = 'triggered'
    GROUP BY delivery.alert_id
    """)

  /// The deliveries of the alerts `$2`, each alert looked up by the index.
  private static let tellings = """
    unnest($2) AS asked (alert_id)
    CROSS JOIN LATERAL (SELECT * FROM alert_deliveries WHERE alert_id = asked.alert_id OFFSET 0) AS delivery
    """
}

/// Where the deliveries of a filter are found: by the index that leaves the fewest of them to be looked at.
///
/// `$1` tenant, `$2` alert, `$3` provider, `$4` states, `$5` and `$6` the times, in microseconds since 1970-01-01T00:00:00Z.
enum DeliverySource {
  case all, givenUp, ofAlert, ofProvider

  init(_ filter: DeliveryFilter) {
    if filter.alertID != nil {
      self = .ofAlert
    } else if let states = filter.states, Set(states).isSubset(of: [.failed, .dead]) {
      self = .givenUp
    } else if filter.providerID != nil {
      self = .ofProvider
    } else {
      self = .all
    }
  }

  /// The statement that answers a page: `$7` how many, `$8` behind how many.
  var listing: Statement {
    switch self {
    case .all: Self.allByPage
    case .givenUp: Self.givenUpByPage
    case .ofAlert: Self.ofAlertByPage
    case .ofProvider: Self.ofProviderByPage
    }
  }

  private static let allByPage = Statement("deliveries", page(of: .all))
  private static let givenUpByPage = Statement("deliveries_given_up", page(of: .givenUp))
  private static let ofAlertByPage = Statement("deliveries_of_alert", page(of: .ofAlert))
  private static let ofProviderByPage = Statement("deliveries_of_provider", page(of: .ofProvider))

  private static func page(of source: DeliverySource) -> String {
    """
    WITH matching AS NOT MATERIALIZED (
      SELECT *
      FROM \(source.rows)
        AND created_at >= \(start)
        AND created_at <= \(end)
        AND \(fits)
      ORDER BY created_at DESC, delivery_id DESC
      LIMIT 100001
    )
    SELECT total, \(LedgerEntry.columns)
    FROM (SELECT count(*) AS total FROM matching) AS whole
    LEFT JOIN (
      SELECT *
      FROM matching
      ORDER BY created_at DESC, delivery_id DESC
      LIMIT least($7, greatest(100000 - $8, 0))
      OFFSET $8
    ) AS delivery ON true
    ORDER BY delivery.created_at DESC, delivery.delivery_id DESC
    """
  }

  /// `COLLATE "C"` is how the indexes `alert_deliveries_newest_first`, `alert_deliveries_given_up` and
  /// `alert_deliveries_of_provider` have their columns. OFFSET 0 has the deliveries found by the alert and then kept to the tenant, never
  /// the other way round.
  var rows: String {
    switch self {
    case .all: #"alert_deliveries WHERE tenant_id COLLATE "C" = $1"#
    case .givenUp: #"alert_deliveries WHERE tenant_id COLLATE "C" = $1 AND state IN ('failed', 'dead')"#
    case .ofProvider: #"alert_deliveries WHERE provider_id COLLATE "C" = $3 AND tenant_id COLLATE "C" = $1"#
    case .ofAlert: "(SELECT * FROM alert_deliveries WHERE alert_id = $2 OFFSET 0) AS of_alert WHERE tenant_id = $1"
    }
  }

  /// Where the times are open to, if the filter does not say. Not coalesce(): behind a policy PostgreSQL takes that for something
  /// which may tell what it has seen, and then no index is used for it.
  static let start = "CASE WHEN $5 IS NULL THEN '-infinity' ELSE \(moment("$5")) END"
  static let end = "CASE WHEN $6 IS NULL THEN 'infinity' ELSE \(moment("$6")) END"

  private static func moment(_ parameter: String) -> String {
    "timestamptz 'epoch' + \(parameter) * interval '1 microsecond'"
  }

  static let fits = "($3 IS NULL OR provider_id = $3) AND ($4 IS NULL OR state = ANY ($4))"
}
