import Postgres

extension Store {
  /// Has the policies' providers told what throttle and cap held back, of each policy whose window has ended; answers of how many
  /// policies, about `limit` at most.
  ///
  /// Whatever was held back is told once: with the window that ends or, if its admission was not committed then, with the next.
  /// That holds however many processes do this at once, because they lock the rows of a window before they count them. A policy
  /// that was deleted has nobody left to tell; any other one's digest goes to the providers that it has now.
  ///
  /// It is run again after a deadlock, which those can come to that admit in several statements of one transaction.
  package func closeDigests(limit: Int) throws(PostgresError) -> Int {
    try runAgainOnConflict { connection throws(PostgresError) in
      try connection.run(Self.digestClosing, [.int(limit)], after: opening, extraSeconds: Self.secondsForLargeDigests)
    }.first?.int(0) ?? 0
  }

  /// What counting and deleting a million throttle keys may take beyond the usual time.
  private static let secondsForLargeDigests = 50.0

  private static let digestClosing = Statement(
    "close_digests",
    """
    WITH due AS (
      SELECT DISTINCT tenant_id, policy_id
      FROM (SELECT tenant_id, policy_id FROM alert_held_back WHERE due_at <= now() ORDER BY due_at LIMIT $1) AS first
    ),

    -- Waits for admissions that are at these rows, and takes them in the order in which those do.
    taken AS (
      SELECT held.*
      FROM due
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_held_back
        WHERE tenant_id = due.tenant_id AND policy_id = due.policy_id
        OFFSET 0
      ) AS seen
      JOIN alert_held_back AS held
        ON held.tenant_id = seen.tenant_id
        AND held.policy_id = seen.policy_id
        AND held.throttle_key = seen.throttle_key
      ORDER BY held.tenant_id, held.policy_id, held.throttle_key
      FOR UPDATE OF held
    ),

    -- Where another process has got ahead, what is left belongs to the next window, which has just opened.
    closed AS (
      SELECT
        tenant_id, policy_id, sum(events) AS events, count(*) AS keys, min(opened_at) AS opened_at,
        (array_agg(DISTINCT alert_id ORDER BY alert_id DESC))[:100] AS latest_alerts
      FROM taken
      GROUP BY tenant_id, policy_id
      HAVING min(due_at) <= now()
    ),

    -- Those that were taken: one statement sees the same rows throughout.
    emptied AS (
      DELETE FROM alert_held_back AS held
      USING closed
      WHERE held.tenant_id = closed.tenant_id AND held.policy_id = closed.policy_id
    ),

    -- The keys of a policy that was changed meanwhile may be of other fields than it has now.
    digest AS (
      SELECT
        closed.tenant_id, closed.policy_id, policy.provider_ids, open.alert_id,
        json_build_object(
          'policy_id', closed.policy_id, 'severity', policy.severity, 'events', closed.events,
          'values', CASE WHEN policy.throttle_by <> '{}' AND policy.updated_at <= closed.opened_at THEN closed.keys END,
          'throttle_by', policy.throttle_by, 'from', rfc3339(closed.opened_at), 'to', rfc3339(now())
        ) AS held_back
      FROM closed
      CROSS JOIN LATERAL (
        SELECT *
        FROM alert_policies
        WHERE tenant_id = closed.tenant_id AND policy_id = closed.policy_id
        OFFSET 0
      ) AS policy
      LEFT JOIN LATERAL (
        SELECT alert.alert_id
        FROM unnest(closed.latest_alerts) AS latest (alert_id)
        CROSS JOIN LATERAL (
          SELECT *
          FROM alerts
          WHERE tenant_id = closed.tenant_id AND alert_id = latest.alert_id
          OFFSET 0
        ) AS alert
        WHERE alert.status IN ('active', 'acknowledged')
        ORDER BY alert.alert_id DESC
        LIMIT 1
      ) AS open ON true
    ),

    told AS (
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, held_back, state, next_attempt_at)
      SELECT
        digest.tenant_id, digest.alert_id, wanted.provider_id, 'digest', digest.held_back,
        CASE WHEN provider.enabled THEN 'pending' ELSE 'skipped' END, now()
      FROM digest
      CROSS JOIN LATERAL unnest(digest.provider_ids) AS wanted (provider_id)
      LEFT JOIN LATERAL (
        SELECT enabled
        FROM alert_providers
        WHERE tenant_id = digest.tenant_id AND provider_id = wanted.provider_id
        OFFSET 0
      ) AS provider ON true
      RETURNING state
    ),

    notified AS (
      SELECT pg_notify('tocsin_deliveries', '')
      FROM (SELECT FROM told WHERE state = 'pending' LIMIT 1) AS anybody
    )

    SELECT count(*), (SELECT count(*) FROM notified)
    FROM closed
    """)
}
