import Postgres

extension Store {
  /// Looks for what is due. See ``dueProviders(after:limit:)``.
  ///
  /// `$1` provider and `$2` tenant to begin after, `$3` how many providers to look at. It goes from one provider to the next in
  /// the index, however many deliveries each of them has.
  static let dueProvidersStatement = Statement(
    "due_providers",
    """
    WITH RECURSIVE waiting AS (
      SELECT $1 AS provider_id, $2 AS tenant_id, 0 AS number
      UNION ALL
      SELECT next.provider_id, next.tenant_id, waiting.number + 1
      FROM waiting
      CROSS JOIN LATERAL (
        SELECT provider_id, tenant_id
        FROM alert_deliveries
        WHERE state = 'pending' AND (provider_id, tenant_id) > (waiting.provider_id, waiting.tenant_id)
        ORDER BY provider_id, tenant_id
        LIMIT 1
      ) AS next
      WHERE waiting.number < $3
    )

    SELECT
      waiting.tenant_id,
      waiting.provider_id,
      coalesce(provider.enabled, false),
      EXISTS (
        SELECT
        FROM alert_deliveries AS delivery
        WHERE delivery.provider_id = waiting.provider_id
          AND delivery.tenant_id = waiting.tenant_id
          AND delivery.state = 'pending'
          AND delivery.next_attempt_at <= CASE WHEN health.is_held THEN 'epoch' ELSE now() END
          AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
      )
    FROM waiting
    LEFT JOIN LATERAL (
      SELECT enabled
      FROM alert_providers
      WHERE tenant_id = waiting.tenant_id AND provider_id = waiting.provider_id
      OFFSET 0
    ) AS provider ON true
    LEFT JOIN LATERAL (
      SELECT greatest(open_until, paced_until) > now() AS is_held
      FROM alert_provider_health
      WHERE tenant_id = waiting.tenant_id AND provider_id = waiting.provider_id
      OFFSET 0
    ) AS health ON true
    WHERE waiting.number > 0
    ORDER BY waiting.number
    """)

  /// Takes what is due. See ``leaseDeliveries(of:seconds:)``.
  ///
  /// `$1` tenants, `$2` providers and `$3` how many of each, `$4` the lease's seconds; `$5` the provider types that have a pace,
  /// `$6` its milliseconds and `$7` how many may go at once; `$8` the one delivery to take, or NULL.
  static let lease = Statement(
    "lease_deliveries",
    """
    WITH asked AS (
      SELECT
        asked.*, provider.name, provider.provider_type, provider.config, provider.enabled, pace.milliseconds, pace.burst
      FROM unnest($1, $2, $3) AS asked (tenant_id, provider_id, room)
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_providers
        WHERE tenant_id = asked.tenant_id AND provider_id = asked.provider_id
        OFFSET 0
      ) AS provider
      LEFT JOIN unnest($5, $6, $7) AS pace (provider_type, milliseconds, burst)
        ON pace.provider_type = provider.provider_type
    ),

    -- A provider with a pace has a row from its first delivery on: its lock is what keeps the pace. Of two processes that begin
    -- it at once, one gets nothing this time.
    begun AS (
      INSERT INTO alert_provider_health (tenant_id, provider_id, paced_until)
      SELECT tenant_id, provider_id, now() + (least(room, burst) - burst + 1) * milliseconds * interval '1 millisecond'
      FROM asked
      WHERE milliseconds IS NOT NULL
        AND NOT EXISTS (
          SELECT
          FROM alert_provider_health AS health
          WHERE health.tenant_id = asked.tenant_id AND health.provider_id = asked.provider_id
        )
      ORDER BY tenant_id, provider_id
      ON CONFLICT (tenant_id, provider_id) DO NOTHING
      RETURNING tenant_id, provider_id
    ),

    -- A row that another process is at is passed over, and its provider asked for again soon.
    locked AS (
      SELECT health.*
      FROM asked
      JOIN alert_provider_health AS health
        ON health.tenant_id = asked.tenant_id AND health.provider_id = asked.provider_id
      FOR UPDATE OF health SKIP LOCKED
    ),

    open AS (
      SELECT
        asked.*,
        locked.failures >= 5 AS is_probe,
        CASE
          WHEN NOT asked.enabled THEN 0
          WHEN locked.tenant_id IS NULL AND health.tenant_id IS NOT NULL THEN 0
          WHEN greatest(locked.open_until, locked.paced_until) > now() THEN 0
          WHEN locked.failures >= 5 THEN least(room, 1)
          WHEN milliseconds IS NULL THEN room
          WHEN locked.tenant_id IS NULL AND begun.tenant_id IS NULL THEN 0
          ELSE
            least(
              room, burst,
              1 + floor(extract(epoch FROM now() - coalesce(locked.paced_until, 'epoch')) * 1000 / milliseconds))
        END AS grant
      FROM asked
      LEFT JOIN alert_provider_health AS health
        ON health.tenant_id = asked.tenant_id AND health.provider_id = asked.provider_id
      LEFT JOIN locked
        ON locked.tenant_id = asked.tenant_id AND locked.provider_id = asked.provider_id
      LEFT JOIN begun
        ON begun.tenant_id = asked.tenant_id AND begun.provider_id = asked.provider_id
    ),

    -- What became of an alert waits for what goes before it, which is found by the alert: its provider may have a million more.
    due AS (
      SELECT
        delivery.tenant_id, delivery.delivery_id, delivery.attempts, delivery.lease_token, delivery.updated_at,
        open.provider_id, open.name, open.provider_type, open.config, open.milliseconds, open.burst,
        open.is_probe AND open.grant > 0 AS is_probe
      FROM open
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_deliveries AS delivery
        WHERE delivery.provider_id = open.provider_id
          AND delivery.tenant_id = open.tenant_id
          AND delivery.state = 'pending'
          AND delivery.next_attempt_at <= CASE WHEN open.grant > 0 THEN now() ELSE 'epoch' END
          AND (delivery.leased_until IS NULL OR delivery.leased_until <= now())
          AND ($8 IS NULL OR delivery.delivery_id = $8::uuid)
          AND (
            delivery.event IN ('triggered', 'test')
            OR NOT EXISTS (
              SELECT
              FROM (SELECT * FROM alert_deliveries WHERE alert_id = delivery.alert_id OFFSET 0) AS earlier
              WHERE earlier.tenant_id = delivery.tenant_id
                AND earlier.provider_id = delivery.provider_id
                AND earlier.state = 'pending'
                AND earlier.created_at < delivery.created_at
            )
          )
        ORDER BY delivery.next_attempt_at
        LIMIT greatest(open.grant, 1)
        FOR UPDATE OF delivery SKIP LOCKED
      ) AS delivery
    ),

    leased AS (
      UPDATE alert_deliveries AS delivery
      SET
        attempts = delivery.attempts + 1,
        lease_token = gen_random_uuid(),
        leased_until = now() + $4 * interval '1 second',
        updated_at = now()
      FROM due
      WHERE delivery.tenant_id = due.tenant_id AND delivery.delivery_id = due.delivery_id
      RETURNING delivery.*, due.name, due.provider_type, due.config, due.is_probe
    ),

    \(lostAttempts),

    noted AS (
      UPDATE alert_provider_health AS health
      SET
        open_until = CASE WHEN taken.is_probe THEN now() + $4 * interval '1 second' ELSE health.open_until END,
        paced_until = CASE
          WHEN taken.milliseconds IS NULL THEN health.paced_until
          ELSE
            greatest(health.paced_until, now() - (taken.burst - 1) * taken.milliseconds * interval '1 millisecond')
            + taken.deliveries * taken.milliseconds * interval '1 millisecond'
        END
      FROM (
        SELECT tenant_id, provider_id, is_probe, milliseconds, burst, count(*) AS deliveries
        FROM due
        WHERE is_probe OR milliseconds IS NOT NULL
        GROUP BY tenant_id, provider_id, is_probe, milliseconds, burst
      ) AS taken
      WHERE health.tenant_id = taken.tenant_id AND health.provider_id = taken.provider_id
    )

    -- A provider and a policy come with the first of their deliveries alone.
    SELECT
      leased.delivery_id::text,
      leased.tenant_id,
      leased.lease_token::text,
      leased.attempts,
      extract(epoch FROM now() - coalesce(leased.retried_at, leased.created_at))::bigint,
      leased.provider_id,
      CASE
        WHEN row_number() OVER (PARTITION BY leased.tenant_id, leased.provider_id ORDER BY leased.next_attempt_at, leased.delivery_id) = 1 THEN
          json_build_object(
            'name', leased.name, 'provider_type', leased.provider_type, 'enabled', true, 'config', leased.config)
      END,
      leased.recipients,
      coalesce(alert.alert_id, leased.event || '-' || leased.delivery_id),
      coalesce(alert.policy_id, leased.held_back ->> 'policy_id', 'provider-test'),
      CASE
        WHEN row_number() OVER (PARTITION BY leased.tenant_id, policy.policy_id ORDER BY leased.next_attempt_at, leased.delivery_id) = 1 THEN
          policy.document
      END,
      coalesce(alert.severity, leased.held_back ->> 'severity', 'info'),
      coalesce(alert.title, 'Test of provider ' || leased.name),
      coalesce(
        alert.message, 'This is a test of the provider ' || leased.name || '. Alerts that are sent to it arrive here.'),
      coalesce(alert.summary, 'Test of provider ' || leased.name),
      rfc3339(coalesce(alert.triggered_at, leased.created_at)),
      coalesce(
        alert.event_data, leased.held_back, json_build_object('test', true, 'provider_id', leased.provider_id)),
      encode(sha256(convert_to(
        json_build_array(
          leased.tenant_id,
          coalesce(alert.policy_id, leased.held_back ->> 'policy_id', 'provider-test'),
          coalesce(alert.throttle_key, CASE leased.event WHEN 'digest' THEN 'digest' ELSE leased.delivery_id::text END)
        )::text, 'UTF8')), 'hex'),
      leased.attempts - leased.attempts_before,
      leased.event,
      leased.is_probe IS TRUE,
      CASE
        WHEN leased.event <> 'digest' AND first.state <> 'sent' THEN 'the alert itself has not been sent'
        WHEN leased.event = 'resolved' AND leased.provider_type = 'pagerduty' AND \(isIncidentShared) THEN
          'other alerts of the same incident are open'
      END,
      coalesce(
        rfc3339(CASE leased.event WHEN 'acknowledged' THEN alert.acknowledged_at ELSE alert.resolved_at END), ''),
      coalesce(CASE leased.event WHEN 'acknowledged' THEN alert.acknowledged_by ELSE alert.resolved_by END, ''),
      coalesce(first.delivery_id, leased.delivery_id)::text,
      leased.held_back,
      alert.alert_id IS NOT NULL
    FROM leased
    LEFT JOIN LATERAL (
      SELECT delivery_id, state
      FROM alert_deliveries
      WHERE leased.event IN ('acknowledged', 'resolved', 'digest')
        AND alert_id = leased.alert_id
        AND tenant_id = leased.tenant_id
        AND provider_id = leased.provider_id
        AND event = 'triggered'
      OFFSET 0
    ) AS first ON true
    -- A digest belongs to its alert as long as that is open, and for those who were told of it.
    LEFT JOIN LATERAL (
      SELECT *
      FROM alerts
      WHERE tenant_id = leased.tenant_id
        AND alert_id = leased.alert_id
        AND (leased.event <> 'digest' OR status IN ('active', 'acknowledged') AND first.state = 'sent')
      OFFSET 0
    ) AS alert ON true
    LEFT JOIN LATERAL (
      SELECT policy_id, document
      FROM alert_policies
      WHERE tenant_id = leased.tenant_id
        AND policy_id = coalesce(alert.policy_id, leased.held_back ->> 'policy_id')
      OFFSET 0
    ) AS policy ON true
    ORDER BY leased.next_attempt_at, leased.delivery_id
    """)

  /// Counts one message more. See ``reserveTurn(of:_:within:)``.
  ///
  /// `$1` tenant and `$2` provider, `$3` the pace's milliseconds and `$4` how many may go at once, `$5` seconds.
  static let turn = Statement(
    "reserve_turn",
    """
    UPDATE alert_provider_health
    SET paced_until =
      greatest(paced_until, now() - ($4 - 1) * $3 * interval '1 millisecond') + $3 * interval '1 millisecond'
    WHERE tenant_id = $1
      AND provider_id = $2
      AND (paced_until IS NULL OR paced_until <= now() + $5 * interval '1 second')
    RETURNING greatest(ceil(extract(epoch FROM paced_until - now()) * 1000)::bigint - $3, 0)
    """)

  /// Whether the incident that an `alert` belongs to has alerts that are open and known to the provider of a `leased` delivery:
  /// those of one policy and throttle key have one deduplication key, and a resolution ends the incident for all of them.
  private static let isIncidentShared = """
    EXISTS (
      SELECT
      FROM (
        SELECT alert_id
        FROM alerts AS other
        WHERE other.policy_id = alert.policy_id
          AND other.tenant_id = alert.tenant_id
          AND other.throttle_key = alert.throttle_key
          AND other.status IN ('active', 'acknowledged')
        LIMIT 1000
      ) AS open
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_deliveries
        WHERE alert_id = open.alert_id
        OFFSET 0
      ) AS told
      WHERE told.tenant_id = leased.tenant_id
        AND told.provider_id = leased.provider_id
        AND told.event = 'triggered'
        AND (told.state = 'sent' OR told.leased_until > now())
    )
    """

  /// The part of a statement that writes down the attempts of leases that ran out, of the deliveries in its `due`.
  static let lostAttempts = """
    lost AS (
      INSERT INTO alert_delivery_attempts (tenant_id, delivery_id, attempt, started_at, verdict, reason)
      SELECT
        tenant_id, delivery_id, attempts, updated_at, 'unknown',
        'the process that made the attempt ended before it could write down what came of it'
      FROM due
      WHERE lease_token IS NOT NULL
    )
    """
}
