import JSON
import Matching
import Postgres

/// A tenant's policies, ready for its events.
package struct CompiledPolicies {
  /// The policy epoch that they are good for.
  package let epoch: Int
  /// The policies.
  package let set: PolicySet
  /// About how many bytes of memory they take: 20 KB for any tenant, and twice the stored documents, as measured with policies
  /// of two equalities and with those of detection rules.
  package let size: Int

  init(epoch: Int, set: PolicySet, documentBytes: Int) {
    self.epoch = epoch
    self.set = set
    size = 20_000 + 2 * documentBytes
  }
}

extension Store {
  /// All that a tenant's events are matched against, and the epoch that it stands for: policies that are switched on, the
  /// stored rules that they name, and suppressions that are not over. One statement, so it is one moment's truth.
  ///
  /// For events that came in earlier, `since` is when the first of them did, in microseconds since 1970: suppressions that were
  /// not over then are among them.
  package func compiledPolicies(tenant: String, since: Int? = nil) throws -> CompiledPolicies {
    let rows = try read(Self.tenantPolicies, .text(tenant), .int(since))
    var rules: [String: Rule] = [:]
    var suppressions: [(id: String, suppression: Suppression)] = []
    for row in rows where !row.isNull(1) {
      switch row.text(1) {
      case "rule": rules[row.text(2)] = try Self.read(row, as: Rule.init(json:))
      case "suppression": suppressions.append((row.text(2), try Self.read(row, as: Suppression.init(json:))))
      default: continue
      }
    }
    var policies = rows.makeIterator()
    let set = try PolicySet(rules: rules, suppressions: suppressions) {
      while let row = policies.next() {
        if !row.isNull(1), row.text(1) == "policy" { return (row.text(2), try Self.read(row, as: Policy.init(json:))) }
      }
      return nil
    }
    let documentBytes = rows.reduce(0) { $0 + ($1.isNull(3) ? 0 : $1.length(3)) }
    return CompiledPolicies(epoch: rows.first?.int(0) ?? 0, set: set, documentBytes: documentBytes)
  }

  /// Reads the document of a row.
  private static func read<Document>(
    _ row: Row, as parse: (JSONValue) throws(JSONFaults) -> Document
  ) throws(UnreadableDocument) -> Document {
    do {
      return try parse(.object(row.document(3)))
    } catch {
      throw UnreadableDocument(kind: row.text(1), id: row.text(2), faults: error)
    }
  }

  /// The statement of ``compiledPolicies(tenant:)``.
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
      WHERE tenant_id = $1 AND suppressed_until > moment_of($2)
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
