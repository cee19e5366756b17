import JSON
import Matching
import Postgres

extension Store {
  /// All that a tenant's events are matched against, and the epoch that it stands for: policies that are switched on, the
  /// stored rules that they name, and suppressions that are not over. One statement, so it is one moment's truth.
  package func policySet(tenant: String) throws -> (epoch: Int, set: PolicySet) {
    let rows = try read(Self.tenantPolicies, .text(tenant))
    var policies: [(id: String, policy: Policy)] = []
    var rules: [String: Rule] = [:]
    var suppressions: [(id: String, suppression: Suppression)] = []
    for row in rows where !row.isNull(2) {
      let (id, document) = (row.text(2), JSONValue.object(row.document(3)))
      switch row.text(1) {
      case "policy": policies.append((id, try Policy(json: document)))
      case "rule": rules[id] = try Rule(json: document)
      default: suppressions.append((id, try Suppression(json: document)))
      }
    }
    let set = PolicySet(policies: policies, rules: rules, suppressions: suppressions)
    return (rows.first?.int(0) ?? 0, set)
  }

  private static let tenantPolicies = Statement(
    "tenant_policies",
    """
    SELECT tenants.policy_epoch, part.kind, part.id, part.document
    FROM tenants
    LEFT JOIN (
      SELECT 'policy' AS kind, policy_id AS id, document
      FROM alert_policies
      WHERE tenant_id = $1 AND enabled
      UNION ALL
      SELECT 'rule', rule_id, document
      FROM alert_rules
      WHERE tenant_id = $1
        AND rule_id IN (
          SELECT unnest(rule_ids)
          FROM alert_policies
          WHERE tenant_id = $1 AND enabled
        )
      UNION ALL
      SELECT 'suppression', suppression_id, \(suppressionDocument)
      FROM alert_suppressions
      WHERE tenant_id = $1 AND suppressed_until > now()
    ) AS part ON true
    WHERE tenants.tenant_id = $1
    """)
}
