import Delivery
import JSON
import Matching
import Postgres

extension Store {
  /// Takes deliveries that are due, those that wait longest first, and no more than `limit`. For the seconds of the lease they
  /// are this process's alone; one that is not settled by then is due again, as its next attempt.
  ///
  /// A delivery whose provider has been switched off or deleted meanwhile is settled as skipped, but a provider can be tested
  /// before it is switched on. An empty answer means that
  /// nothing is due.
  package func leaseDeliveries(limit: Int, seconds: Int) throws(PostgresError) -> [LeasedDelivery] {
    while true {
      let rows = try write(Self.lease, .int(limit), .int(seconds))
      let leased = rows.filter { !$0.isNull(0) }.map(LeasedDelivery.init(row:))
      if !leased.isEmpty || rows.isEmpty { return leased }
    }
  }

  private static let lease = Statement(
    "lease_deliveries",
    """
    WITH due AS (
      SELECT tenant_id, delivery_id, provider_id, event, next_attempt_at
      FROM alert_deliveries
      WHERE state = 'pending'
        AND next_attempt_at <= now()
        AND (leased_until IS NULL OR leased_until <= now())
      ORDER BY next_attempt_at
      LIMIT $1
      FOR UPDATE SKIP LOCKED
    ),

    leased AS (
      UPDATE alert_deliveries AS delivery
      SET
        attempts = attempts + 1,
        lease_token = gen_random_uuid(),
        leased_until = now() + $2 * interval '1 second',
        updated_at = now()
      FROM due
      JOIN alert_providers AS provider
        ON provider.tenant_id = due.tenant_id
        AND provider.provider_id = due.provider_id
        AND (provider.enabled OR due.event = 'test')
      WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
      RETURNING delivery.*, provider.name, provider.provider_type, provider.config
    ),

    skipped AS (
      UPDATE alert_deliveries AS delivery
      SET
        state = 'skipped',
        lease_token = NULL,
        last_error = 'the provider is switched off or gone',
        updated_at = now()
      FROM due
      WHERE delivery.tenant_id = due.tenant_id
        AND delivery.delivery_id = due.delivery_id
        AND NOT EXISTS (
          SELECT
          FROM alert_providers
          WHERE tenant_id = due.tenant_id AND provider_id = due.provider_id AND (enabled OR due.event = 'test')
        )
    )

    SELECT
      leased.delivery_id::text,
      due.tenant_id,
      leased.lease_token::text,
      leased.attempts,
      extract(epoch FROM now() - coalesce(leased.retried_at, leased.created_at))::bigint,
      leased.provider_id,
      json_build_object(
        'name', leased.name, 'provider_type', leased.provider_type, 'enabled', true, 'config', leased.config),
      leased.recipients,
      coalesce(alert.alert_id, 'test-' || leased.delivery_id),
      coalesce(alert.policy_id, 'provider-test'),
      policy.document,
      coalesce(alert.severity, 'info'),
      coalesce(alert.title, 'Test of provider ' || leased.name),
      coalesce(
        alert.message, 'This is a test of the provider ' || leased.name || '. Alerts that are sent to it arrive here.'),
      coalesce(alert.summary, 'Test of provider ' || leased.name),
      rfc3339(coalesce(alert.triggered_at, leased.created_at)),
      coalesce(alert.event_data, json_build_object('test', true, 'provider_id', leased.provider_id)),
      encode(sha256(convert_to(
        json_build_array(
          leased.tenant_id, coalesce(alert.policy_id, 'provider-test'),
          coalesce(alert.throttle_key, leased.delivery_id::text)
        )::text, 'UTF8')), 'hex'),
      leased.attempts - leased.attempts_before,
      leased.event
    FROM due
    LEFT JOIN (
      leased
      LEFT JOIN alerts AS alert
        ON alert.tenant_id = leased.tenant_id AND alert.alert_id = leased.alert_id
      LEFT JOIN alert_policies AS policy
        ON policy.tenant_id = alert.tenant_id AND policy.policy_id = alert.policy_id
    ) ON leased.tenant_id = due.tenant_id AND leased.delivery_id = due.delivery_id
    ORDER BY due.next_attempt_at
    """)

  /// Writes down what became of attempts, and tells of how many. A delivery that is not under the lease of its attempt any more
  /// is left as it is.
  @discardableResult
  package func settleDeliveries(_ settlements: [Settlement]) throws(PostgresError) -> Int {
    try write(
      Self.settle,
      .texts(settlements.map(\.tenant)),
      .texts(settlements.map(\.deliveryID)),
      .texts(settlements.map(\.leaseToken)),
      .texts(settlements.map(\.outcome.state)),
      .ints(settlements.map(\.outcome.milliseconds)),
      .texts(settlements.map { $0.status.map { String($0) } }),
      .texts(settlements.map(\.outcome.remark)),
      .texts(settlements.map(\.outcome.recipients))
    ).count
  }

  private static let settle = Statement(
    "settle_deliveries",
    """
    UPDATE alert_deliveries AS delivery
    SET
      state = settled.state,
      next_attempt_at = now() + settled.milliseconds * interval '1 millisecond',
      leased_until = NULL,
      lease_token = NULL,
      last_status = settled.status::integer,
      last_error = settled.remark,
      recipients = CASE
        WHEN settled.recipients IS NULL THEN delivery.recipients
        ELSE ARRAY(SELECT json_array_elements_text(settled.recipients::json))
      END,
      updated_at = now()
    FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
      AS settled (tenant_id, delivery_id, lease_token, state, milliseconds, status, remark, recipients)
    WHERE delivery.tenant_id = settled.tenant_id
      AND delivery.delivery_id = settled.delivery_id::uuid
      AND delivery.lease_token = settled.lease_token::uuid
    RETURNING delivery.delivery_id
    """)

  /// A connection of its own that hears of every alert that is raised; nil behind a pooler in transaction mode, where nobody can
  /// listen.
  package func deliveryBell() throws(PostgresError) -> Connection? {
    guard prepares else { return nil }
    let connection = try freshConnection()
    try connection.listen(to: "tocsin_deliveries")
    return connection
  }
}

extension LeasedDelivery {
  /// A delivery as the lease's statement answers it.
  fileprivate init(row: Row) {
    guard let severity = Severity(rawValue: row.text(11)), let event = DeliveryEvent(rawValue: row.text(19)) else {
      preconditionFailure("the tables' CHECK constraints and the enums disagree")
    }
    // Read here: PostgreSQL's ->> refuses a document with U+0000 anywhere in it, and with it the whole lease.
    let policyName = row.isNull(10) ? nil : row.document(10)["name"]?.string
    let provider = Result { () throws(JSONFaults) in try Provider(json: .object(row.document(6))) }
    let notice = AlertNotice(
      event == .test ? .test : .triggered, tenant: row.text(1), alertID: row.text(8), policyID: row.text(9),
      policyName: policyName ?? row.text(9),
      severity: severity, title: row.text(12), message: row.text(13), summary: row.text(14), triggeredAt: row.text(15),
      event: JSONText(row.bytes(16)), deduplicationKey: row.text(17))
    self.init(
      tenant: row.text(1), id: row.text(0), leaseToken: row.text(2), attempt: row.int(3),
      scheduledAttempt: row.int(18), age: row.int(4), event: event, providerID: row.text(5), provider: provider,
      notice: notice, recipients: row.isNull(7) ? nil : row.texts(7))
  }
}

extension Outcome {
  /// The delivery's `state`.
  fileprivate var state: String {
    switch self {
    case .sent: "sent"
    case .waiting: "pending"
    case .rejected: "failed"
    case .dead: "dead"
    }
  }

  /// How long the next attempt has to wait; 0 where there is none.
  fileprivate var milliseconds: Int {
    if case .waiting(let milliseconds, _, _) = self { milliseconds } else { 0 }
  }

  /// What is worth knowing about the attempt, as text that PostgreSQL can hold.
  fileprivate var remark: String? {
    let remark =
      switch self {
      case .sent(let remark): remark
      case .waiting(_, let reason, _), .rejected(let reason), .dead(let reason): Optional(reason)
      }
    return remark.map { String(String.UnicodeScalarView($0.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 })) }
  }

  /// The recipients that are left, as a JSON array; nil for no change.
  fileprivate var recipients: String? {
    guard case .waiting(_, _, let recipients?) = self else { return nil }
    return String(decoding: recipients.json, as: UTF8.self)
  }
}
