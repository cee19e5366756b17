import JSON
import Matching
import Postgres

extension Store {
  /// One stored rule; nil if there is none of that id.
  package func rule(tenant: String, id: String) throws(PostgresError) -> Record? {
    try read(Self.ruleByID, .text(tenant), .text(id)).first.map { Record(row: $0, tenant: tenant) }
  }

  private static let ruleByID = Statement(
    "rule",
    """
    SELECT rule_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM alert_rules
    WHERE tenant_id = $1 AND rule_id = $2
    """)

  /// A page of the tenant's stored rules, oldest first: all, or those switched on or off, and those about one field.
  package func rules(
    tenant: String, enabled: Bool?, field: String?, page: Page
  ) throws(PostgresError) -> Listing<Record> {
    let rows = try read(
      Self.rulesByPage, .text(tenant), .int(page.size), .int(page.offset), .bool(enabled), .text(field))
    return Listing(rows: rows) { Record(row: $0, from: 1, tenant: tenant) }
  }

  private static let rulesByPage = Statement(
    "rules",
    """
    WITH matching AS (
      SELECT *
      FROM alert_rules
      WHERE tenant_id = $1 AND ($4 IS NULL OR enabled = $4) AND ($5 IS NULL OR field = $5)
    )
    SELECT total, rule_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM (SELECT count(*) AS total FROM matching) AS whole
    LEFT JOIN (
      SELECT *
      FROM matching
      ORDER BY created_at, rule_id
      LIMIT $2
      OFFSET $3
    ) AS page ON true
    ORDER BY created_at, rule_id
    """)

  /// Stores a new rule under an id.
  package func createRule(tenant: String, id: String, _ rule: Rule, by creator: String) throws(PostgresError) -> Saving
  {
    do {
      let rows = try change(
        Self.ruleCreation, .text(tenant), .text(id), .json(rule.document.json), .bool(rule.isEnabled),
        .text(rule.document["field"]?.string), .text(creator))
      return rows.first.map { .saved(Record(row: $0, tenant: tenant)) } ?? .full(limit: TenantLimit.rules)
    } catch  where error.isUniqueViolation {
      return .taken
    }
  }

  private static let ruleCreation = Statement(
    "create_rule",
    """
    INSERT INTO alert_rules (tenant_id, rule_id, document, enabled, field, created_by)
    SELECT $1, $2, $3, $4, $5, $6
    WHERE \(TenantLimit.room(in: "alert_rules", limit: TenantLimit.rules))
    RETURNING rule_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    """)

  /// Changes a rule, and with it every policy that names it: `change` makes the new one of the stored document, and is called
  /// again where somebody else changed the rule in between.
  package func changeRule<Failure: Error>(
    tenant: String, id: String, _ change: (JSONObject) throws(Failure) -> Rule
  ) throws -> Saving {
    while let stored = try rule(tenant: tenant, id: id) {
      let changed = try change(stored.document)
      let rows = try self.change(
        Self.ruleChange, .text(tenant), .text(id), .json(changed.document.json), .bool(changed.isEnabled),
        .text(changed.document["field"]?.string), .text(stored.updatedAt))
      if let row = rows.first { return .saved(Record(row: row, tenant: tenant)) }
    }
    return .absent
  }

  private static let ruleChange = Statement(
    "change_rule",
    """
    WITH changed AS (
      UPDATE alert_rules
      SET
        document = $3, enabled = $4, field = $5,
        updated_at = greatest(now(), updated_at + interval '1 microsecond')
      WHERE tenant_id = $1 AND rule_id = $2 AND rfc3339(updated_at) = $6
      RETURNING *
    ),
    epoch AS (
      UPDATE tenants
      SET policy_epoch = policy_epoch + 1
      WHERE tenant_id = $1 AND EXISTS (SELECT FROM changed)
    )
    SELECT rule_id, document, created_by, rfc3339(created_at), rfc3339(updated_at)
    FROM changed
    """)

  /// Deletes a rule that no policy names.
  package func deleteRule(tenant: String, id: String) throws(PostgresError) -> Deletion {
    Deletion(rows: try change(Self.ruleDeletion, .text(tenant), .text(id)))
  }

  private static let ruleDeletion = Statement(
    "delete_rule",
    """
    WITH used AS (
      SELECT ARRAY(
        SELECT policy_id
        FROM alert_policies
        WHERE tenant_id = $1 AND $2 = ANY (rule_ids)
        ORDER BY policy_id
      ) AS policy_ids
    ),
    deleted AS (
      DELETE FROM alert_rules
      USING used
      WHERE tenant_id = $1 AND rule_id = $2 AND used.policy_ids = '{}'
      RETURNING rule_id
    )
    SELECT used.policy_ids, EXISTS (SELECT FROM deleted)
    FROM used
    """)
}

extension Deletion {
  /// Reads the row of a deletion: the policies that stand against it, and whether something was deleted.
  init(rows: Rows) {
    guard let row = rows.first else { preconditionFailure("a deletion answers one row") }
    let policies = row.texts(0)
    self = row.bool(1) ? .deleted : policies.isEmpty ? .absent : .inUse(policyIDs: policies)
  }
}
