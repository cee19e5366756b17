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
      do throws(JSONFaults) {
        switch row.text(1) {
        case "policy": policies.append((id, try Policy(json: document)))
        case "rule": rules[id] = try Rule(json: document)
        default: suppressions.append((id, try Suppression(json: document)))
        }
      } catch {
        throw UnreadableDocument(kind: row.text(1), id: id, faults: error)
      }
    }
    let set = PolicySet(policies: policies, rules: rules, suppressions: suppressions)
    return (rows.first?.int(0) ?? 0, set)
  }

  /// The statement of ``policySet(tenant:)``.
  package static let tenantPolicies = Statement(
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

/// A stored document that means nothing to this program: another version wrote it, or somebody by hand. No fault of a client's.
package struct UnreadableDocument: Error, CustomStringConvertible {
  let kind: String
  let id: String
  let faults: JSONFaults

  package var description: String {
    let reasons = faults.faults.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
    return "the stored \(kind) \(id) cannot be read: \(reasons)"
  }
}
