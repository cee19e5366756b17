import Postgres

extension Store {
  /// Writes down what became of attempts. See ``settleDeliveries(_:)``.
  ///
  /// One array each, by attempt: `$1` tenants, `$2` deliveries, `$3` lease tokens, `$4` states, `$5` milliseconds from the
  /// attempt's end to the next attempt, `$6` statuses, `$7` remarks, `$8` recipients, `$9` verdicts (NULL: nothing was tried),
  /// `$10` answers, `$11` and `$12` the milliseconds since start and end, `$13` how the receiver was found, `$14` whether it was
  /// a probe, `$15` milliseconds from the end for which the receiver wants to be left alone, `$16` whether the receiver is gone
  /// for good, `$17` ids for the alert that may have to be raised about it.
  static let settle = Statement(
    "settle_deliveries",
    """
    WITH updated AS (
      UPDATE alert_deliveries AS delivery
      SET
        state = settled.state,
        attempts = delivery.attempts - (settled.verdict IS NULL)::integer,
        next_attempt_at = now() + (settled.milliseconds - settled.since_end) * interval '1 millisecond',
        leased_until = NULL,
        lease_token = NULL,
        last_status = settled.status::integer,
        last_error = settled.remark,
        recipients = CASE
          WHEN settled.recipients IS NULL THEN delivery.recipients
          ELSE ARRAY(SELECT json_array_elements_text(settled.recipients::json))
        END,
        updated_at = now()
      FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        AS settled (
          tenant_id, delivery_id, lease_token, state, milliseconds, status, remark, recipients, verdict, answer,
          since_start, since_end, found, is_probe, pause, is_gone, report_id
        )
      WHERE delivery.tenant_id = settled.tenant_id
        AND delivery.delivery_id = settled.delivery_id::uuid
        AND delivery.lease_token = settled.lease_token::uuid
      RETURNING
        delivery.tenant_id, delivery.delivery_id, delivery.provider_id, delivery.attempts, delivery.state,
        delivery.last_status, delivery.last_error, delivery.event, settled.verdict, settled.answer,
        now() - settled.since_start * interval '1 millisecond' AS started_at,
        now() - settled.since_end * interval '1 millisecond' AS ended_at,
        settled.found, settled.is_probe, settled.is_gone, settled.report_id,
        settled.pause::bigint - settled.since_end AS pause
    ),

    attempted AS (
      INSERT INTO alert_delivery_attempts (
        tenant_id, delivery_id, attempt, started_at, ended_at, status, answer, verdict, reason
      )
      SELECT
        tenant_id, delivery_id, attempts, started_at, ended_at, last_status, answer, verdict, last_error
      FROM updated
      WHERE verdict IS NOT NULL
    ),

    -- What the attempts say about each provider. A test that fails is told to whoever asked for it, and nobody else.
    found AS (
      SELECT
        tenant_id,
        provider_id,
        bool_or(found = 'sent') AS has_sent,
        bool_or(found IN ('sent', 'answering')) AS has_answered,
        count(*) FILTER (WHERE found = 'down') AS failed,
        bool_or(is_probe) AS is_probe,
        now() + max(pause) * interval '1 millisecond' AS paced_until,
        max(started_at) FILTER (WHERE is_gone) AS gone_at,
        max(last_error) FILTER (WHERE is_gone) AS gone_reason,
        max(last_error) FILTER (WHERE state IN ('failed', 'dead') AND event <> 'test') AS lost_reason,
        max(report_id) FILTER (WHERE state IN ('failed', 'dead') AND event <> 'test') AS report_id
      FROM updated
      GROUP BY tenant_id, provider_id
    ),

    -- Only where the row changes: a healthy provider's is not there.
    noted AS (
      INSERT INTO alert_provider_health AS health (
        tenant_id, provider_id, failures, failing_since, open_until, paced_until, report_alert_id, gone_reason
      )
      SELECT
        tenant_id,
        provider_id,
        CASE WHEN has_answered THEN 0 ELSE least(failed, 5) END,
        CASE WHEN failed > 0 OR report_id IS NOT NULL THEN now() END,
        CASE WHEN failed >= 5 AND NOT has_answered THEN now() + interval '30 seconds' END,
        paced_until,
        report_id,
        gone_reason
      FROM found
      WHERE (failed > 0 AND NOT has_answered)
        OR paced_until IS NOT NULL
        OR gone_at IS NOT NULL
        OR report_id IS NOT NULL
        OR is_probe
        OR EXISTS (
          SELECT
          FROM alert_provider_health AS known
          WHERE known.tenant_id = found.tenant_id
            AND known.provider_id = found.provider_id
            AND (
              known.failures > 0 OR known.failing_since IS NOT NULL OR known.report_alert_id IS NOT NULL
              OR known.earlier_reports <> '{}'
            )
        )
      ORDER BY tenant_id, provider_id
      ON CONFLICT (tenant_id, provider_id) DO UPDATE
      SET
        (
          failures, failing_since, open_until, paced_until, report_alert_id, gone_reason, earlier_reports, ended_reports
        ) = (
          SELECT
            counted.failures,
            CASE WHEN NOT found.has_sent THEN coalesce(health.failing_since, excluded.failing_since) END,
            CASE
              WHEN found.has_answered THEN NULL
              -- A probe that tried nothing leaves its place to the next.
              WHEN found.is_probe AND found.failed = 0 THEN now()
              WHEN counted.failures >= 5 AND (health.failures < 5 OR found.is_probe) THEN
                now() + least(30 * power(2, counted.failures - 5), 300) * interval '1 second'
              ELSE health.open_until
            END,
            greatest(health.paced_until, excluded.paced_until),
            coalesce(CASE WHEN NOT found.has_sent THEN health.report_alert_id END, excluded.report_alert_id),
            coalesce(excluded.gone_reason, health.gone_reason),
            CASE WHEN found.has_sent THEN '{}' ELSE health.earlier_reports END,
            CASE WHEN found.has_sent THEN \(allReports) ELSE health.ended_reports END
          FROM found
          CROSS JOIN LATERAL (
            SELECT
              CASE
                WHEN found.has_answered THEN 0
                WHEN health.failures < 5 THEN least(health.failures + found.failed, 5)
                -- What was under way when the breaker opened says nothing new.
                WHEN found.is_probe AND found.failed > 0 THEN least(health.failures + 1, 100)
                ELSE health.failures
              END AS failures
          ) AS counted
          WHERE found.tenant_id = health.tenant_id AND found.provider_id = health.provider_id
        )
      RETURNING tenant_id, provider_id, report_alert_id
    ),

    -- Unless it has been changed since: the receiver did not speak of what it is now.
    switched_off AS (
      UPDATE alert_providers AS provider
      SET
        enabled = false,
        updated_at = greatest(now(), provider.updated_at + interval '1 microsecond')
      FROM found
      WHERE provider.tenant_id = found.tenant_id
        AND provider.provider_id = found.provider_id
        AND provider.enabled
        AND provider.updated_at <= found.gone_at
    ),

    reported AS (
      SELECT noted.tenant_id, noted.provider_id, noted.report_alert_id, found.lost_reason, found.gone_at IS NOT NULL AS is_gone
      FROM noted
      JOIN found
        ON found.tenant_id = noted.tenant_id
        AND found.provider_id = noted.provider_id
        AND found.report_id = noted.report_alert_id
    ),

    \(failureReport)

    SELECT count(*), (SELECT count(*) FROM notified)
    FROM updated
    """)

  /// All that has been reported about the provider of a row `health` and is not resolved.
  static let allReports = "array_remove(health.ended_reports || health.earlier_reports || health.report_alert_id, NULL)"

  /// The part of a statement that raises an alert about each provider in its `reported`, for the tenant's other providers.
  static let failureReport = """
    raised AS (
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key,
        triggered_at, updated_at
      )
      SELECT
        tenant_id,
        reported.report_alert_id,
        'delivery-failure',
        'high',
        'active',
        'Alerts do not reach ' || provider.name,
        'A delivery to ' || provider.name || ' (' || provider_id || ') has failed for good: '
          || coalesce(reported.lost_reason, 'no reason is known')
          || CASE
            WHEN reported.is_gone THEN '. The receiver says that it is gone, so the provider has been switched off.'
            ELSE '. Nothing more is said of this provider until a delivery succeeds.'
          END,
        'Alerts do not reach ' || provider.name,
        json_build_object('provider_id', provider_id, 'reason', reported.lost_reason, 'is_gone', reported.is_gone),
        provider_id,
        now(),
        now()
      FROM reported
      JOIN alert_providers AS provider USING (tenant_id, provider_id)
    ),

    told AS (
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT other.tenant_id, reported.report_alert_id, other.provider_id, 'pending', now()
      FROM reported
      JOIN alert_providers AS other
        ON other.tenant_id = reported.tenant_id AND other.provider_id <> reported.provider_id AND other.enabled
      RETURNING delivery_id
    ),

    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM (SELECT FROM told LIMIT 1) AS anybody
    )
    """
}
