import Postgres

extension Store {
  /// Decides what becomes of each match and writes all that follows from it. See ``admit(tenant:_:)``.
  ///
  /// `$1` tenant, then one array each: `$2` policy ids, `$3` throttle keys, `$4` event ids (or NULL), `$5` alert ids, `$6` titles,
  /// `$7` messages, `$8` summaries, `$9` the numbers of their events, from 1, in `$11`, `$10` candidate suppressions (ids with
  /// spaces between them), `$12` how many events each stands for, `$13` whether throttle or cap applied when it matched; `$11` the
  /// events, each once; `$14` the moment as of which it is decided, in microseconds since 1970, or NULL for now; `$15` and
  /// `$16` the producers and the numbers of the marks to leave; `$17` and `$18` the SHA-256 of the key that has to work and
  /// the policy epoch that has to be the tenant's, or NULL. `$5` to `$9` are NULL where no alert is to come of a match.
  package static let admission = Statement("admit", deciding + writing)

  /// The same with what is held back counted for digests: a statement of its own, so that it costs nothing where there are none.
  static let admissionWithDigests = Statement("admit_with_digests", deciding + held + writing)

  /// What becomes of each match, `outcome`, by the throttles' rows, and which alerts that raises.
  private static let deciding = """
    WITH provided AS (
      SELECT
      WHERE $17 IS NULL OR EXISTS (
        SELECT
        FROM api_keys
        JOIN tenants USING (tenant_id)
        WHERE digest = $17
          AND tenant_id = $1
          AND \(KnownKey.works)
          AND policy_epoch = $18
      )
    ),

    -- Behind the policies of the tables' row-level security an index is used for what is a plain column here, not for an expression
    -- that might tell by an error what it has seen.
    input AS MATERIALIZED (
      SELECT
        policy_id, bounded_key(throttle_key) AS throttle_key, bounded_key(event_id) AS event_id, alert_id,
        title, message, summary, event, string_to_array(suppression_ids, ' ') AS suppression_ids, events, was_limited,
        position
      FROM unnest($2, $3, $4, $5, $6, $7, $8, $9, $10, $12, $13)
        WITH ORDINALITY AS match (
          policy_id, throttle_key, event_id, alert_id, title, message, summary, event_number, suppression_ids, events,
          was_limited, position
        )
      -- Every event has its matches, so FULL is LEFT here; it keeps the plan from going through all pairs.
      FULL JOIN unnest($11) WITH ORDINALITY AS sent (event, event_number) USING (event_number)
      CROSS JOIN provided
    ),

    -- Each match by what its policy says at this moment. One whose policy has gone or was switched off takes no part.
    -- One that was decided before keeps its first decision and asks for nothing. OFFSET 0 keeps each look-up one by primary
    -- key, however large the tables grow under a plan that was made when they were small.
    judged AS (
      SELECT
        input.*,
        policy.severity,
        policy.provider_ids,
        policy.throttle_minutes,
        policy.max_alerts_per_hour,
        policy.digest_minutes,
        earlier.decision AS earlier_decision,
        earlier.alert_id AS earlier_alert_id,
        earlier.decision IS NULL AND (
          policy.window_start IS NULL
          OR window_is_open(
            moment_of($14), policy.window_start, policy.window_end, policy.window_days, policy.window_timezone)
        ) AS is_asking,
        was_limited OR policy.throttle_minutes > 0 OR policy.max_alerts_per_hour > 0 AS is_limited,
        EXISTS (
          SELECT
          FROM alert_suppressions AS suppression
          WHERE suppression.tenant_id = $1
            AND suppression.suppression_id = ANY (input.suppression_ids)
            AND suppression.starts_at <= moment_of($14)
            AND suppression.suppressed_until > moment_of($14)
        ) AS is_suppressed
      FROM input
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_policies
        WHERE tenant_id = $1 AND policy_id = input.policy_id AND enabled
        OFFSET 0
      ) AS policy
      LEFT JOIN LATERAL (
        SELECT *
        FROM alert_decisions
        WHERE tenant_id = $1 AND policy_id = input.policy_id AND event_id = input.event_id
        OFFSET 0
      ) AS earlier ON true
    ),

    -- A policy without limits asks for nothing either: its statements would only wait for each other.
    asking AS (
      SELECT
        policy_id, throttle_key, is_suppressed, throttle_minutes, max_alerts_per_hour,
        sum(events)::bigint AS asked,
        count(alert_id) AS drafted,
        (array_agg(alert_id ORDER BY alert_id IS NULL, position))[1] AS alert_id
      FROM judged
      WHERE is_asking AND is_limited
      GROUP BY policy_id, throttle_key, is_suppressed, throttle_minutes, max_alerts_per_hour
    ),

    -- Takes the lock of each key's row, always in the same order, and grants by the row as it is under the lock: of two
    -- statements that ask at once, the second sees what the first was granted. A statement that waited has an older now()
    -- than the row it finds, hence greatest().
    granted AS (
      INSERT INTO alert_throttles AS throttle (
        tenant_id, policy_id, throttle_key, is_suppressed, asked, granted, throttle_minutes, max_alerts_per_hour,
        hour, hour_count, last_alert_at, alert_id
      )
      SELECT
        $1, policy_id, throttle_key, is_suppressed, asked, first_grant, throttle_minutes, max_alerts_per_hour,
        date_trunc('hour', moment_of($14), 'UTC'), first_grant, moment_of($14), alert_id
      FROM (
        SELECT
          *,
          least(drafted, throttle_grant(asked, throttle_minutes, max_alerts_per_hour, 0, NULL, moment_of($14)))
            AS first_grant
        FROM asking
      ) AS asking
      ORDER BY policy_id, throttle_key, is_suppressed
      ON CONFLICT (tenant_id, policy_id, throttle_key, is_suppressed) DO UPDATE
      SET
        (asked, granted, throttle_minutes, max_alerts_per_hour, hour, hour_count, last_alert_at, alert_id) = (
          SELECT
            excluded.asked,
            grant_now,
            excluded.throttle_minutes,
            excluded.max_alerts_per_hour,
            greatest(throttle.hour, excluded.hour),
            raised_this_hour + grant_now,
            CASE
              WHEN grant_now > 0 THEN greatest(throttle.last_alert_at, excluded.last_alert_at)
              ELSE throttle.last_alert_at
            END,
            CASE WHEN grant_now > 0 THEN excluded.alert_id ELSE throttle.alert_id END
          FROM (
            SELECT
              raised_this_hour,
              -- Never more than where nothing has been raised yet, which is also what there are drafts for.
              least(
                excluded.granted,
                throttle_grant(
                  excluded.asked, excluded.throttle_minutes, excluded.max_alerts_per_hour,
                  raised_this_hour, throttle.last_alert_at, excluded.last_alert_at
                )
              ) AS grant_now
            FROM (
              SELECT CASE WHEN throttle.hour >= excluded.hour THEN throttle.hour_count ELSE 0 END AS raised_this_hour
            ) AS so_far
          ) AS decision
        )
      RETURNING
        policy_id, throttle_key, is_suppressed, asked, granted, alert_id,
        CASE
          WHEN throttle_minutes = 0 THEN 'capped'
          WHEN granted = 0 AND last_alert_at + make_interval(mins => throttle_minutes) <= moment_of($14) THEN 'capped'
          ELSE 'throttled'
        END AS held_back
    ),

    -- The first drafts of a key get what it was granted; the others fold into the latest alert of the key. Every key has its
    -- match, so FULL is LEFT here, but it can only be a hash or merge join: a plan made for one match might else go through
    -- all pairs of a large batch.
    decided AS (
      SELECT
        judged.*,
        granted.held_back,
        granted.alert_id AS open_alert_id,
        is_asking AND (
          NOT is_limited
          OR granted.granted >= row_number() OVER (
            PARTITION BY policy_id, throttle_key, is_suppressed, is_asking
            ORDER BY judged.alert_id IS NULL, position
          )
        ) AS is_granted
      FROM judged
      FULL JOIN granted USING (policy_id, throttle_key, is_suppressed)
    ),

    outcome AS (
      SELECT
        decided.*,
        CASE
          WHEN earlier_decision IS NOT NULL THEN earlier_decision
          WHEN NOT is_asking THEN 'outside_window'
          WHEN is_suppressed THEN 'suppressed'
          WHEN is_granted THEN 'raised'
          ELSE held_back
        END AS decision,
        CASE
          WHEN NOT is_asking THEN earlier_alert_id
          WHEN is_granted THEN alert_id
          ELSE open_alert_id
        END AS alert,
        CASE
          WHEN is_granted AND NOT is_suppressed THEN alert_id
          WHEN earlier_decision = 'raised' THEN earlier_alert_id
        END AS raised_alert
      FROM decided
    ),

    raised AS (
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, event_id,
        throttle_key, triggered_at, updated_at
      )
      SELECT
        $1, alert_id, policy_id, severity, CASE WHEN is_suppressed THEN 'suppressed' ELSE 'active' END,
        title, message, summary, event, event_id, throttle_key, moment_of($14), now()
      FROM outcome
      WHERE is_granted
    ),

    -- An alert that a concurrent statement has just raised is not visible here: it is open, so it is folded into.
    folded AS (
      INSERT INTO alert_repeats AS repeats (tenant_id, alert_id, events, last_event_at)
      SELECT $1, granted.alert_id, granted.asked - granted.granted, moment_of($14)
      FROM granted
      WHERE granted.asked > granted.granted
        AND NOT EXISTS (
          SELECT
          FROM alerts
          WHERE tenant_id = $1 AND alert_id = granted.alert_id AND status = 'resolved'
          OFFSET 0
        )
      ORDER BY granted.alert_id
      ON CONFLICT (tenant_id, alert_id) DO UPDATE
      SET
        events = repeats.events + excluded.events,
        last_event_at = greatest(repeats.last_event_at, excluded.last_event_at)
    ),


    """

  /// Counts what is held back for digests, by throttle key: whoever writes a key's row here holds the row of its throttle, so two
  /// statements never wait for each other. The rows are gone once they are told, and come again with the next window.
  private static let held = """
    held AS (
      INSERT INTO alert_held_back AS held (tenant_id, policy_id, throttle_key, events, alert_id, opened_at, due_at)
      SELECT
        $1, policy_id, throttle_key, sum(events), min(open_alert_id), now(), now() + make_interval(mins => digest_minutes)
      FROM outcome
      WHERE digest_minutes > 0 AND decision IN ('throttled', 'capped') AND earlier_decision IS NULL
      GROUP BY policy_id, throttle_key, digest_minutes
      ORDER BY policy_id, throttle_key
      ON CONFLICT (tenant_id, policy_id, throttle_key) DO UPDATE
      SET events = held.events + excluded.events, alert_id = excluded.alert_id
    ),

    """

  /// The counts, the decisions, the deliveries, and the answer.
  private static let writing = """
    counted AS (
      INSERT INTO alert_decision_counts AS counts (tenant_id, policy_id, hour, decision, slot, events)
      SELECT $1, policy_id, date_trunc('hour', moment_of($14), 'UTC'), decision, pg_backend_pid() % 16, sum(events)
      FROM outcome
      WHERE earlier_decision IS NULL
      GROUP BY policy_id, decision
      ORDER BY policy_id, decision
      ON CONFLICT (tenant_id, policy_id, hour, decision, slot) DO UPDATE
      SET events = counts.events + excluded.events
    ),

    -- One that comes after its events were admitted otherwise finds its mark there, and fails.
    marked AS (
      INSERT INTO alert_admission_marks AS mark (tenant_id, producer, sequence)
      SELECT $1, attempt.producer::uuid, attempt.sequence
      FROM provided
      CROSS JOIN unnest($15, $16) AS attempt (producer, sequence)
      ON CONFLICT (tenant_id, producer) DO UPDATE
      SET
        sequence = CASE WHEN mark.sequence < excluded.sequence THEN excluded.sequence END,
        marked_at = excluded.marked_at
    ),

    remembered AS (
      INSERT INTO alert_decisions (tenant_id, policy_id, event_id, decision, alert_id, decided_at)
      SELECT $1, policy_id, event_id, decision, alert, now()
      FROM outcome
      WHERE event_id IS NOT NULL AND earlier_decision IS NULL
      ORDER BY policy_id, event_id
    ),

    delivered AS (
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT
        $1, outcome.alert_id, wanted.provider_id, CASE WHEN provider.enabled THEN 'pending' ELSE 'skipped' END, now()
      FROM outcome
      CROSS JOIN LATERAL unnest(outcome.provider_ids) AS wanted (provider_id)
      LEFT JOIN LATERAL (
        SELECT enabled
        FROM alert_providers
        WHERE tenant_id = $1 AND provider_id = wanted.provider_id
        OFFSET 0
      ) AS provider ON true
      WHERE outcome.is_granted AND NOT outcome.is_suppressed
      RETURNING alert_id, provider_id, state
    ),

    -- NOTIFY makes commits wait for each other. One statement in flight that wakes the deliverer is enough for all.
    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM (SELECT FROM delivered WHERE state = 'pending' LIMIT 1) AS pending
      WHERE pg_try_advisory_xact_lock(hashtext('tocsin_deliveries'))
    ),

    deliveries AS (
      SELECT
        alert_id,
        array_agg(provider_id ORDER BY provider_id) AS provider_ids,
        array_agg(state ORDER BY provider_id) AS states
      FROM (
        SELECT alert_id, provider_id, state
        FROM delivered
        UNION ALL
        SELECT delivery.alert_id, delivery.provider_id, delivery.state
        FROM outcome
        CROSS JOIN LATERAL (
          SELECT *
          FROM alert_deliveries
          WHERE alert_id = outcome.earlier_alert_id
          OFFSET 0
        ) AS delivery
        WHERE outcome.earlier_decision = 'raised' AND delivery.tenant_id = $1 AND delivery.event = 'triggered'
      ) AS delivery
      GROUP BY alert_id
    )

    SELECT
      outcome.position,
      outcome.decision,
      outcome.alert,
      outcome.severity,
      coalesce(earlier.title, outcome.title),
      coalesce(earlier.summary, outcome.summary),
      outcome.earlier_decision IS NOT NULL,
      coalesce(deliveries.provider_ids, '{}'),
      coalesce(deliveries.states, '{}'),
      (SELECT count(*) FROM notified)
    FROM outcome
    LEFT JOIN LATERAL (
      SELECT title, summary
      FROM alerts
      WHERE tenant_id = $1 AND alert_id = outcome.earlier_alert_id
      OFFSET 0
    ) AS earlier ON true
    FULL JOIN deliveries
      ON deliveries.alert_id = outcome.raised_alert
    ORDER BY outcome.position
    """
}
