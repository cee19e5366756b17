import Delivery
import JSON
import Matching
import Postgres

/// The outbox: deliveries that are written with their alert, leased to be attempted, and settled.
extension Store {
  /// A connection that hears whenever deliveries have been written. It needs a session of its own, so through a pooler in
  /// transaction mode it hears nothing.
  package func deliveryBell() throws(PostgresError) -> Connection {
    let connection = try freshConnection()
    try connection.listen(to: "tocsin_deliveries")
    return connection
  }

  /// Takes deliveries that are due, the longest due first, and counts an attempt of each. Until the lease of so many seconds ends
  /// nobody else gets them; one that was never settled is due again then.
  ///
  /// Deliveries whose provider has been switched off or deleted since are skipped for good.
  package func leaseDeliveries(limit: Int, seconds: Int) throws(PostgresError) -> [LeasedDelivery] {
    while true {
      let rows = try write(Self.lease, .int(limit), .int(seconds))
      let leased = rows.filter { $0.text(0) == "pending" }.map(LeasedDelivery.init)
      if !leased.isEmpty || rows.isEmpty { return leased }
    }
  }

  private static let lease = Statement(
    "lease_deliveries",
    """
    WITH due AS (
      SELECT tenant_id, delivery_id
      FROM alert_deliveries
      WHERE state = 'pending' AND next_attempt_at <= now()
      ORDER BY next_attempt_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ),
    judged AS (
      SELECT
        delivery.tenant_id, delivery.delivery_id, provider.enabled IS TRUE AS is_sendable,
        CASE WHEN provider.enabled THEN NULL ELSE 'the provider has been switched off or deleted' END AS reason
      FROM due
      JOIN alert_deliveries AS delivery USING (tenant_id, delivery_id)
      LEFT JOIN alert_providers AS provider USING (tenant_id, provider_id)
    ),
    leased AS (
      UPDATE alert_deliveries AS delivery
      SET
        state = CASE WHEN is_sendable THEN 'pending' ELSE 'skipped' END,
        attempts = attempts + is_sendable::integer,
        next_attempt_at = now() + make_interval(secs => $2),
        leased_until = CASE WHEN is_sendable THEN now() + make_interval(secs => $2) END,
        lease_token = CASE WHEN is_sendable THEN gen_random_uuid() END,
        last_error = coalesce(reason, last_error),
        updated_at = now()
      FROM judged
      WHERE delivery.tenant_id = judged.tenant_id AND delivery.delivery_id = judged.delivery_id
      RETURNING delivery.*
    )
    SELECT
      leased.state, leased.tenant_id, leased.delivery_id::text, leased.lease_token::text, leased.attempts,
      extract(epoch FROM now() - leased.created_at)::bigint, leased.provider_id, leased.remaining_recipients,
      json_build_object(
        'name', provider.name, 'provider_type', provider.provider_type, 'enabled', provider.enabled,
        'config', provider.config
      ),
      alert.alert_id, alert.policy_id, coalesce(policy.document ->> 'name', alert.policy_id), alert.severity,
      alert.title, alert.message, alert.summary, rfc3339(alert.triggered_at), alert.event_data
    FROM leased
    LEFT JOIN alert_providers AS provider USING (tenant_id, provider_id)
    JOIN alerts AS alert USING (tenant_id, alert_id)
    LEFT JOIN alert_policies AS policy ON policy.tenant_id = alert.tenant_id AND policy.policy_id = alert.policy_id
    ORDER BY leased.created_at, leased.delivery_id
    """)

  /// Ends leases, and tells how many counted: a delivery whose lease has run out and that somebody else has taken since is left
  /// alone.
  @discardableResult
  package func settle(_ settlements: [Settlement]) throws(PostgresError) -> Int {
    let columns = settlements.map(\.outcome.columns)
    return try write(
      Self.settlement, .texts(settlements.map(\.tenant)), .texts(settlements.map(\.deliveryID)),
      .texts(settlements.map(\.leaseToken)), .texts(settlements.map { $0.status.map(String.init) }),
      .texts(columns.map(\.state)), .ints(columns.map(\.milliseconds)), .texts(columns.map(\.reason)),
      .texts(columns.map { $0.recipients?.joined(separator: " ") })
    ).count
  }

  private static let settlement = Statement(
    "settle_deliveries",
    """
    UPDATE alert_deliveries AS delivery
    SET
      state = settled.state,
      next_attempt_at = now() + make_interval(secs => settled.milliseconds / 1000.0),
      leased_until = NULL,
      lease_token = NULL,
      last_status = settled.status::integer,
      last_error = settled.reason,
      remaining_recipients = coalesce(string_to_array(settled.recipients, ' '), remaining_recipients),
      updated_at = now()
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
      AS settled (tenant_id, delivery_id, lease_token, status, state, milliseconds, reason, recipients)
    WHERE delivery.tenant_id = settled.tenant_id
      AND delivery.delivery_id = settled.delivery_id::uuid
      AND delivery.lease_token = settled.lease_token::uuid
    RETURNING delivery.delivery_id
    """)
}

extension LeasedDelivery {
  fileprivate init(row: Row) {
    guard let severity = Severity(rawValue: row.text(12)) else { preconditionFailure("an alert has a severity") }
    let notice = AlertNotice(
      tenant: row.text(1), alertID: row.text(9), policyID: row.text(10), policyName: row.text(11), severity: severity,
      title: row.text(13), message: row.text(14), summary: row.text(15), triggeredAt: row.text(16),
      event: JSONText(row.bytes(17)), deduplicationKey: row.text(9))
    let document = row.document(8)
    let provider = Result { () throws(JSONFaults) in try Provider(json: .object(document)) }
    self.init(
      tenant: row.text(1), id: row.text(2), leaseToken: row.text(3), attempt: row.int(4), age: max(0, row.int(5)),
      providerID: row.text(6), provider: provider, notice: notice,
      recipients: row.isNull(7) ? nil : row.texts(7))
  }
}

extension Outcome {
  /// What a settled delivery is stored as.
  fileprivate var columns: (state: String, milliseconds: Int, reason: String?, recipients: [String]?) {
    switch self {
    case .sent(let remark): ("sent", 0, remark, nil)
    case .waiting(let milliseconds, let reason, let recipients): ("pending", milliseconds, reason, recipients)
    case .rejected(let reason): ("failed", 0, reason, nil)
    case .dead(let reason): ("dead", 0, reason, nil)
    }
  }
}
