import Delivery
import Matching
import Postgres

/// Which alerts to list; nil takes all.
package struct AlertFilter: Sendable {
  /// Those of one policy.
  package var policyID: String?
  /// Those of one severity.
  package var severity: Severity?
  /// Those of one status.
  package var status: AlertStatus?
  /// Those raised then or later.
  package var start: Timestamp?
  /// Those raised then or earlier.
  package var end: Timestamp?

  /// All alerts.
  package init() {}
}

extension Store {
  /// One alert; nil if there is none of that id.
  package func alert(tenant: String, id: String) throws(PostgresError) -> Alert? {
    try read(Self.alertByID, .text(tenant), .text(id)).first.map { Alert(row: $0, tenant: tenant) }
  }

  private static let alertByID = Statement(
    "alert",
    """
    SELECT \(Alert.columns)
    FROM alerts AS alert
    \(Alert.joins)
    WHERE alert.tenant_id = $1 AND alert.alert_id = $2
    """)

  /// A page of the tenant's alerts, newest first. `COLLATE "C"` is how the index `alerts_newest_first` has it.
  package func alerts(tenant: String, _ filter: AlertFilter, page: Page) throws(PostgresError) -> Listing<Alert> {
    let rows = try read(
      Self.alertsByPage, .text(tenant), .int(page.size), .int(page.offset), .text(filter.policyID),
      .text(filter.severity?.rawValue), .text(filter.status?.rawValue), .int(filter.start?.microseconds),
      .int(filter.end?.microseconds))
    return Listing(rows: rows) { Alert(row: $0, from: 1, tenant: tenant) }
  }

  private static let alertsByPage = Statement(
    "alerts",
    """
    WITH matching AS NOT MATERIALIZED (
      SELECT *
      FROM alerts
      WHERE tenant_id COLLATE "C" = $1
        AND ($4 IS NULL OR policy_id = $4)
        AND ($5 IS NULL OR severity = $5)
        AND ($6 IS NULL OR status = $6)
        AND ($7 IS NULL OR triggered_at >= timestamptz 'epoch' + $7 * interval '1 microsecond')
        AND ($8 IS NULL OR triggered_at <= timestamptz 'epoch' + $8 * interval '1 microsecond')
    )
    SELECT total, \(Alert.columns)
    FROM (SELECT count(*) AS total FROM matching) AS whole
    LEFT JOIN (
      SELECT *
      FROM matching
      ORDER BY triggered_at DESC, alert_id DESC
      LIMIT $2
      OFFSET $3
    ) AS alert ON true
    \(Alert.joins)
    ORDER BY alert.triggered_at DESC, alert.alert_id DESC
    """)

  /// Notes that somebody is at an alert, and answers the alert as it then is: one that is acknowledged or resolved already stays
  /// as it was. Nil if there is none of that id.
  package func acknowledgeAlert(
    tenant: String, id: String, by key: String
  ) throws(PostgresError) -> Alert? {
    let rows = try change(Self.acknowledgement, .text(tenant), .text(id), .text(key))
    if let row = rows.first { return Alert(row: row, tenant: tenant) }
    // A second statement, because only a new snapshot shows what a concurrent one has just changed.
    return try alert(tenant: tenant, id: id)
  }

  private static let acknowledgement = Statement(
    "acknowledge_alert",
    """
    WITH alert AS (
      UPDATE alerts
      SET status = 'acknowledged', acknowledged_at = now(), acknowledged_by = $3, updated_at = now()
      WHERE tenant_id = $1 AND alert_id = $2 AND status IN ('active', 'suppressed')
      RETURNING *
    ),
    \(deliveries(of: .acknowledged))
    SELECT \(Alert.columns), (SELECT count(*) FROM notified)
    FROM alert
    \(Alert.joins)
    """)

  /// Notes that an alert is over, and answers it as it then is: one that is resolved already stays as it was. Nil if there is
  /// none of that id.
  package func resolveAlert(tenant: String, id: String, by key: String) throws(PostgresError) -> Alert? {
    let rows = try change(Self.resolution, .text(tenant), .text(id), .text(key))
    if let row = rows.first { return Alert(row: row, tenant: tenant) }
    return try alert(tenant: tenant, id: id)
  }

  private static let resolution = Statement(
    "resolve_alert",
    """
    WITH alert AS (
      UPDATE alerts
      SET status = 'resolved', resolved_at = now(), resolved_by = $3, updated_at = now()
      WHERE tenant_id = $1 AND alert_id = $2 AND status <> 'resolved'
      RETURNING *
    ),
    \(deliveries(of: .resolved))
    SELECT \(Alert.columns), (SELECT count(*) FROM notified)
    FROM alert
    \(Alert.joins)
    """)

  /// The part of a statement that has the providers which were told of `alert` told what has become of it. Those that could not
  /// be told are left alone; one that is still to be told hears both, in order.
  static func deliveries(of event: DeliveryEvent) -> String {
    """
    told AS (
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at)
      SELECT alert.tenant_id, alert.alert_id, first.provider_id, '\(event.rawValue)', 'pending', now()
      FROM alert
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_deliveries
        WHERE alert_id = alert.alert_id
        OFFSET 0
      ) AS first
      WHERE first.tenant_id = alert.tenant_id AND first.event = 'triggered' AND first.state IN ('pending', 'sent')
      RETURNING alert_id
    ),

    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM (SELECT FROM told LIMIT 1) AS any_told
    )
    """
  }
}
