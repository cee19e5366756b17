import Postgres

/// How one tenant is doing, for an operator.
package struct TenantStatus: Sendable, Equatable {
  /// The tenant.
  package let tenant: String
  /// How many policies are enabled.
  package let enabledPolicies: Int
  /// How many alerts are active: neither acknowledged, resolved nor suppressed.
  package let activeAlerts: Int
  /// How many deliveries have yet to be made.
  package let pendingDeliveries: Int
  /// How many seconds the oldest of those has been waiting; 0 if none is pending.
  package let oldestPendingSeconds: Int
  /// How many deliveries, tests apart, were given up: refused by the receiver, or tried to the end of the schedule.
  package let lostDeliveries: Int
  /// How many events of this clock hour, in UTC, matched a policy, by what was decided: `raised`, `throttled` and so on.
  package let decisionsThisHour: [String: Int]
}

extension Store {
  /// How every tenant is doing, by name. It counts, so it takes as long as there is much to count.
  package func status() throws(PostgresError) -> [TenantStatus] {
    try read(Self.status).map { row in
      TenantStatus(
        tenant: row.text(0), enabledPolicies: row.int(1), activeAlerts: row.int(2), pendingDeliveries: row.int(3),
        oldestPendingSeconds: row.int(4), lostDeliveries: row.int(5),
        decisionsThisHour: Dictionary(uniqueKeysWithValues: zip(row.texts(6), row.texts(7).map { Int($0) ?? 0 })))
    }
  }

  private static let status = Statement(
    "status",
    """
    SELECT
      tenant_id,
      (SELECT count(*) FROM alert_policies AS policy WHERE policy.tenant_id = tenant.tenant_id AND enabled),
      (SELECT count(*) FROM alerts AS alert WHERE alert.tenant_id = tenant.tenant_id AND status = 'active'),
      coalesce(pending, 0),
      coalesce(oldest, 0),
      coalesce(lost, 0),
      coalesce(decisions, '{}'),
      coalesce(events, '{}')
    FROM tenants AS tenant
    LEFT JOIN (
      SELECT
        tenant_id,
        count(*) FILTER (WHERE state = 'pending') AS pending,
        extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'pending'))::bigint AS oldest,
        count(*) FILTER (WHERE state IN ('failed', 'dead') AND event <> 'test') AS lost
      FROM alert_deliveries
      GROUP BY tenant_id
    ) AS delivery USING (tenant_id)
    LEFT JOIN (
      SELECT tenant_id, array_agg(decision) AS decisions, array_agg(events::text) AS events
      FROM (
        SELECT tenant_id, decision, sum(events) AS events
        FROM alert_decision_counts
        WHERE hour = date_trunc('hour', now(), 'UTC')
        GROUP BY tenant_id, decision
      ) AS counted
      GROUP BY tenant_id
    ) AS decided USING (tenant_id)
    ORDER BY tenant_id
    """)
}
