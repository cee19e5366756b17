import JSON
import Matching
import Postgres

extension Store {
  /// One policy; nil if there is none of that id.
  package func policy(tenant: String, id: String) throws(PostgresError) -> Record? {
    try read(Self.policyByID, .text(tenant), .text(id)).first.map { Record(row: $0, tenant: tenant) }
  }

  private static let policyByID = Statement(
    "policy",
    """
    SELECT policy_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM alert_policies
    WHERE tenant_id = $1 AND policy_id = $2
    """)

  /// A page of the tenant's policies, oldest first.
  package func policies(tenant: String, page: Page) throws(PostgresError) -> Listing<Record> {
    let rows = try read(Self.policiesByPage, .text(tenant), .int(page.size), .int(page.offset))
    return Listing(rows: rows) { Record(row: $0, from: 1, tenant: tenant) }
  }

  private static let policiesByPage = Statement(
    "policies",
    """
    SELECT total, policy_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM (SELECT count(*) AS total FROM alert_policies WHERE tenant_id = $1) AS whole
    LEFT JOIN (
      SELECT *
      FROM alert_policies
      WHERE tenant_id = $1
      ORDER BY created_at, policy_id
      LIMIT $2
      OFFSET $3
    ) AS page ON true
    ORDER BY created_at, policy_id
    """)

  /// Stores a new policy under an id. From the next request on every worker matches by it.
  package func createPolicy(
    tenant: String, id: String, _ policy: Policy, by creator: String
  ) throws(PostgresError) -> Saving {
    do {
      let parameters = Self.columns(tenant, id, policy) + [.text(creator)]
      let saving = Self.saving(try change(Self.policyCreation, parameters), of: policy, tenant: tenant)
      if case .absent = saving { return .full(limit: TenantLimit.policies) }
      return saving
    } catch  where error.isUniqueViolation {
      return .taken
    }
  }

  private static let policyCreation = Statement(
    "create_policy",
    """
    WITH \(missingReferences),
    created AS (
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        window_start, window_end, window_days, window_timezone, digest_minutes, throttle_by, created_by
      )
      SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10::time, $11::time, $12, $13, $14, $15, $16
      FROM missing
      WHERE missing.providers = '{}' AND missing.rules = '{}' AND NOT missing.timezone
        AND \(TenantLimit.room(in: "alert_policies", limit: TenantLimit.policies))
      RETURNING *
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM created)
    )
    \(savedPolicy(from: "created"))
    """)

  /// Changes a policy: `change` makes the new one of the stored document, and is called again where somebody else changed the
  /// policy in between.
  package func changePolicy<Failure: Error>(
    tenant: String, id: String, _ change: (JSONObject) throws(Failure) -> Policy
  ) throws -> Saving {
    while let stored = try policy(tenant: tenant, id: id) {
      let changed = try change(stored.document)
      let parameters = Self.columns(tenant, id, changed) + [.text(stored.updatedAt)]
      let saving = Self.saving(try self.change(Self.policyChange, parameters), of: changed, tenant: tenant)
      if case .absent = saving { continue }
      return saving
    }
    return .absent
  }

  private static let policyChange = Statement(
    "change_policy",
    """
    WITH \(missingReferences),
    changed AS (
      UPDATE alert_policies
      SET
        document = $3, enabled = $4, severity = $5, rule_ids = $6, provider_ids = $7, throttle_minutes = $8,
        max_alerts_per_hour = $9, window_start = $10::time, window_end = $11::time, window_days = $12,
        window_timezone = $13, digest_minutes = $14, throttle_by = $15,
        updated_at = greatest(now(), updated_at + interval '1 microsecond')
      FROM missing
      WHERE tenant_id = $1 AND policy_id = $2 AND rfc3339(updated_at) = $16
        AND missing.providers = '{}' AND missing.rules = '{}' AND NOT missing.timezone
      RETURNING alert_policies.*
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM changed)
    )
    \(savedPolicy(from: "changed"))
    """)

  /// Deletes a policy; its alerts are kept. False if there is none of that id.
  package func deletePolicy(tenant: String, id: String) throws(PostgresError) -> Bool {
    try !change(Self.policyDeletion, .text(tenant), .text(id)).isEmpty
  }

  private static let policyDeletion = Statement(
    "delete_policy",
    """
    WITH deleted AS (
      DELETE FROM alert_policies
      WHERE tenant_id = $1 AND policy_id = $2
      RETURNING policy_id
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM deleted)
    )
    SELECT policy_id
    FROM deleted
    """)
}

extension Store {
  /// `$1` to `$15` of both statements that write a policy.
  private static func columns(_ tenant: String, _ id: String, _ policy: Policy) -> [Parameter] {
    [
      .text(tenant), .text(id), .json(policy.document.json), .bool(policy.isEnabled), .text(policy.severity.rawValue),
      .texts(policy.ruleIDs), .texts(policy.providers), .int(policy.throttleMinutes), .int(policy.maxAlertsPerHour),
      .text(policy.timeWindow?.start), .text(policy.timeWindow?.end), .ints(policy.timeWindow?.days),
      .text(policy.timeWindow?.timezone), .int(policy.digestMinutes), .texts(policy.throttleBy.map(\.text)),
    ]
  }

  /// What the policy in `$1` to `$15` names and does not exist.
  private static let missingReferences = """
    missing AS (
      SELECT
        ARRAY(
          SELECT named
          FROM unnest($7) AS named
          WHERE NOT EXISTS (SELECT FROM alert_providers WHERE tenant_id = $1 AND provider_id = named)
          ORDER BY named
        ) AS providers,
        ARRAY(
          SELECT named
          FROM unnest($6) AS named
          WHERE NOT EXISTS (SELECT FROM alert_rules WHERE tenant_id = $1 AND rule_id = named)
          ORDER BY named
        ) AS rules,
        $13 IS NOT NULL AND NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = $13) AS timezone
    )
    """

  private static func savedPolicy(from written: String) -> String {
    """
    SELECT
      missing.providers, missing.rules, missing.timezone,
      policy_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM missing
    LEFT JOIN \(written) ON true
    """
  }

  private static func saving(_ rows: Rows, of policy: Policy, tenant: String) -> Saving {
    guard let row = rows.first else { return .absent }
    if !row.isNull(3) { return .saved(Record(row: row, from: 3, tenant: tenant)) }
    let faults = missingFaults(policy, providers: row.texts(0), rules: row.texts(1), timezone: row.bool(2))
    return faults.isEmpty ? .absent : .refused(JSONFaults(faults))
  }

  private static func missingFaults(
    _ policy: Policy, providers: [String], rules: [String], timezone: Bool
  ) -> [JSONFault] {
    let unknownProviders = policy.providers.indices.filter { providers.contains(policy.providers[$0]) }
    var faults = unknownProviders.map {
      JSONFault(pointer: "/providers/\($0)", detail: "names no provider: \"\(policy.providers[$0])\"")
    }
    faults += rules.map { JSONFault(pointer: "/rule_configs", detail: "names no stored rule: \"\($0)\"") }
    if timezone {
      faults.append(
        JSONFault(pointer: "/time_window/timezone", detail: "is no IANA time zone, such as \"Europe/Berlin\""))
    }
    return faults
  }
}
