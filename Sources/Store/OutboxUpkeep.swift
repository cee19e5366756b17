import Delivery
import Host
import Postgres

extension Store {
  /// Skips what is due for providers that are switched off or gone, no more than `limit` of each; tells of how many.
  @discardableResult
  package func skipDeliveries(of providers: [ProviderKey], limit: Int) throws(PostgresError) -> Int {
    try write(
      Self.skip, .texts(providers.map(\.tenant)), .texts(providers.map(\.providerID)), .int(limit)
    ).count
  }

  private static let skip = Statement(
    "skip_deliveries",
    """
    WITH due AS (
      SELECT due.*
      FROM unnest($1, $2) AS asked (tenant_id, provider_id)
      LEFT JOIN alert_providers AS provider
        ON provider.tenant_id = asked.tenant_id AND provider.provider_id = asked.provider_id
      CROSS JOIN LATERAL (
        SELECT delivery.tenant_id, delivery.delivery_id, delivery.attempts, delivery.updated_at, delivery.lease_token
        FROM alert_deliveries AS delivery
        WHERE delivery.provider_id = asked.provider_id
          AND delivery.tenant_id = asked.tenant_id
          AND delivery.state = 'pending'
          AND (delivery.event <> 'test' OR provider.provider_id IS NULL)
          AND delivery.next_attempt_at <= now()
          AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
        ORDER BY delivery.next_attempt_at
        LIMIT $3
        FOR UPDATE OF delivery SKIP LOCKED
      ) AS due
      WHERE provider.enabled IS NOT TRUE
    ),

    \(lostAttempts)

    UPDATE alert_deliveries AS delivery
    SET
      state = 'skipped',
      lease_token = NULL,
      last_error = 'the provider is switched off or gone',
      updated_at = now()
    FROM due
    WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
    RETURNING delivery.delivery_id
    """)

  /// Gives up, without another attempt, what has waited longer than the schedule lasts for a receiver that is still down, no
  /// more than `limit` deliveries of each provider; tells of how many.
  @discardableResult
  package func expireDeliveries(limit: Int) throws(PostgresError) -> Int {
    try write(
      Self.expire, .int(RetrySchedule.lifetime), .int(limit), .text(Identifier.make("alert-"))
    ).first?.int(0) ?? 0
  }

  private static let expire = Statement(
    "expire_deliveries",
    """
    WITH due AS (
      SELECT due.*
      FROM alert_provider_health AS health
      CROSS JOIN LATERAL (
        SELECT delivery.tenant_id, delivery.delivery_id, delivery.attempts, delivery.updated_at, delivery.lease_token
        FROM alert_deliveries AS delivery
        WHERE delivery.provider_id = health.provider_id
          AND delivery.tenant_id = health.tenant_id
          AND delivery.state = 'pending'
          AND delivery.next_attempt_at <= now()
          AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
          AND coalesce(delivery.retried_at, delivery.created_at) <= now() - $1 * interval '1 second'
        ORDER BY delivery.next_attempt_at
        LIMIT $2
        FOR UPDATE OF delivery SKIP LOCKED
      ) AS due
      WHERE health.open_until > now()
    ),

    \(lostAttempts),

    expired AS (
      UPDATE alert_deliveries AS delivery
      SET
        state = 'dead',
        lease_token = NULL,
        last_error = coalesce(delivery.last_error, 'the receiver was down all the time'),
        updated_at = now()
      FROM due
      WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
      RETURNING delivery.tenant_id, delivery.provider_id, delivery.last_error
    ),

    failing AS (
      SELECT
        tenant_id, provider_id, max(last_error) AS lost_reason,
        $3 || '-' || row_number() OVER (ORDER BY tenant_id, provider_id) AS report_id
      FROM expired
      GROUP BY tenant_id, provider_id
    ),

    noted AS (
      UPDATE alert_provider_health AS health
      SET report_alert_id = failing.report_id
      FROM failing
      WHERE health.tenant_id = failing.tenant_id
        AND health.provider_id = failing.provider_id
        AND health.report_alert_id IS NULL
      RETURNING health.tenant_id, health.provider_id, health.report_alert_id
    ),

    reported AS (
      SELECT noted.*, failing.lost_reason, false AS is_gone
      FROM noted
      JOIN failing USING (tenant_id, provider_id)
    ),

    \(failureReport)

    SELECT count(*), (SELECT count(*) FROM notified)
    FROM expired
    """)

  /// Resolves the alerts about outages that are over, of one provider at a time, and has those told who were told of them; answers
  /// how many.
  @discardableResult
  package func resolveReports() throws(PostgresError) -> Int {
    try change(Self.reportResolution).first?.int(0) ?? 0
  }

  private static let reportResolution = Statement(
    "resolve_reports",
    """
    WITH ended AS (
      SELECT tenant_id, provider_id, ended_reports
      FROM alert_provider_health
      WHERE ended_reports <> '{}'
      LIMIT 1
      FOR UPDATE SKIP LOCKED
    ),

    -- A report that this statement does not see yet is left for the next.
    cleared AS (
      UPDATE alert_provider_health AS health
      SET
        ended_reports = ARRAY(
          SELECT report
          FROM unnest(ended.ended_reports) AS report
          WHERE NOT EXISTS (SELECT FROM alerts WHERE tenant_id = ended.tenant_id AND alert_id = report OFFSET 0)
        )
      FROM ended
      WHERE health.tenant_id = ended.tenant_id AND health.provider_id = ended.provider_id
    ),

    alert AS (
      UPDATE alerts AS alert
      SET status = 'resolved', resolved_at = now(), resolved_by = 'tocsin', updated_at = now()
      -- Rows of their own, so that each alert is looked up by the whole of its key.
      FROM (SELECT tenant_id, unnest(ended_reports) AS alert_id FROM ended) AS report
      WHERE alert.tenant_id = report.tenant_id AND alert.alert_id = report.alert_id AND alert.status <> 'resolved'
      RETURNING alert.*
    ),

    \(deliveries(of: .resolved))

    SELECT count(*), (SELECT count(*) FROM notified)
    FROM alert
    """)

  /// Sets a delivery aside that the database will not lease: it has failed, at an attempt that was never made.
  package func setAside(_ delivery: DueDelivery, reason: String) throws(PostgresError) {
    try write(Self.setAside, .text(delivery.provider.tenant), .text(delivery.id), .text(reason))
  }

  private static let setAside = Statement(
    "set_aside_delivery",
    """
    WITH due AS (
      SELECT tenant_id, delivery_id, attempts, updated_at, lease_token
      FROM alert_deliveries
      WHERE tenant_id = $1
        AND delivery_id = $2::uuid
        AND state = 'pending'
        AND (leased_until IS NULL OR leased_until <= now())
      FOR UPDATE SKIP LOCKED
    ),

    \(lostAttempts),

    failed AS (
      UPDATE alert_deliveries AS delivery
      SET
        state = 'failed', attempts = delivery.attempts + 1, lease_token = NULL, leased_until = NULL, last_status = NULL,
        last_error = $3, updated_at = now()
      FROM due
      WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
      RETURNING delivery.tenant_id, delivery.delivery_id, delivery.attempts
    )

    INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, started_at, ended_at, verdict, reason)
    SELECT tenant_id, delivery_id, attempts, now(), now(), 'rejected', $3
    FROM failed
    """)

  /// Ends a lease whose settlement the database will not take: with the state, and of the attempt only when it was, its status
  /// and why there is not more.
  package func settleBarely(_ settlement: Settlement, reason: String) throws(PostgresError) {
    let now = Clock.monotonic
    try write(
      Self.bareSettle, .text(settlement.tenant), .text(settlement.deliveryID), .text(settlement.leaseToken),
      .text(settlement.outcome.state == "sent" ? "sent" : "failed"), .text(reason), .int(settlement.status),
      .int(Int((now - settlement.startedAt) * 1000)), .int(Int((now - settlement.endedAt) * 1000)))
  }

  private static let bareSettle = Statement(
    "settle_delivery_barely",
    """
    WITH ended AS (
      UPDATE alert_deliveries
      SET state = $4, lease_token = NULL, leased_until = NULL, last_error = $5, updated_at = now()
      WHERE tenant_id = $1 AND delivery_id = $2::uuid AND lease_token = $3::uuid
      RETURNING tenant_id, delivery_id, attempts, state
    )

    INSERT INTO alert_delivery_attempts (
      tenant_id, delivery_id, attempt, started_at, ended_at, status, verdict, reason
    )
    SELECT
      tenant_id, delivery_id, attempts, now() - $7 * interval '1 millisecond', now() - $8 * interval '1 millisecond', $6,
      CASE state WHEN 'sent' THEN 'sent' ELSE 'rejected' END, $5
    FROM ended
    """)

  /// Deliveries of one provider that are due, those that wait longest first, without taking any.
  package func dueDeliveries(of provider: ProviderKey, limit: Int) throws(PostgresError) -> [DueDelivery] {
    try read(Self.dueIDs, .text(provider.tenant), .text(provider.providerID), .int(limit)).map { row in
      DueDelivery(provider: provider, id: row.text(0))
    }
  }

  private static let dueIDs = Statement(
    "due_delivery_ids",
    """
    SELECT delivery_id::text
    FROM alert_deliveries
    WHERE provider_id = $2
      AND tenant_id = $1
      AND state = 'pending'
      AND next_attempt_at <= now()
      AND (leased_until IS NULL OR leased_until <= now())
    ORDER BY next_attempt_at
    LIMIT $3
    """)
}
