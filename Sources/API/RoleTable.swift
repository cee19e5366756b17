import Store

/// The role table: what each call of the API needs a key for. A route has no endpoint that is not in it, but for those that need
/// no key. Which role includes what is ``Role/allows(_:)``.
package enum RoleTable {
  /// A call and the permission that it needs.
  package struct Entry: Sendable {
    /// The method; `HEAD` is a `GET`.
    package let method: String
    /// The path behind `/api/v1/alerts`, with `{…}` for any one segment.
    package let path: String
    /// What the key's role has to include.
    package let permission: Permission

    fileprivate init(_ method: String, _ path: String, _ permission: Permission) {
      self.method = method
      self.path = path
      self.permission = permission
    }
  }

  /// Every call that needs a key.
  package static let entries = [
    Entry("POST", "/process-event", .ingest),
    Entry("GET", "/policies", .view),
    Entry("POST", "/policies", .administer),
    Entry("GET", "/policies/{policy_id}", .view),
    Entry("PUT", "/policies/{policy_id}", .administer),
    Entry("DELETE", "/policies/{policy_id}", .administer),
    Entry("GET", "/rules", .view),
    Entry("POST", "/rules", .administer),
    Entry("POST", "/rules/simple", .administer),
    Entry("POST", "/rules/compound", .administer),
    Entry("GET", "/rules/{rule_id}", .view),
    Entry("PUT", "/rules/{rule_id}", .administer),
    Entry("DELETE", "/rules/{rule_id}", .administer),
    Entry("GET", "/providers", .view),
    Entry("POST", "/providers", .administer),
    Entry("GET", "/providers/{provider_id}", .view),
    Entry("PUT", "/providers/{provider_id}", .administer),
    Entry("DELETE", "/providers/{provider_id}", .administer),
    Entry("POST", "/providers/{provider_id}/test", .operate),
    Entry("GET", "/alerts", .view),
    Entry("GET", "/alerts/{alert_id}", .view),
    Entry("PUT", "/alerts/{alert_id}/acknowledge", .operate),
    Entry("PUT", "/alerts/{alert_id}/resolve", .operate),
    Entry("GET", "/deliveries", .view),
    Entry("GET", "/deliveries/{delivery_id}", .view),
    Entry("POST", "/deliveries/{delivery_id}/retry", .operate),
    Entry("POST", "/deliveries/retry", .operate),
    Entry("GET", "/suppressions", .view),
    Entry("POST", "/suppressions", .operate),
    Entry("GET", "/suppressions/{suppression_id}", .view),
    Entry("PUT", "/suppressions/{suppression_id}", .operate),
    Entry("DELETE", "/suppressions/{suppression_id}", .operate),
    Entry("GET", "/keys", .administer),
    Entry("POST", "/keys", .administer),
    Entry("GET", "/keys/{key_id}", .administer),
    Entry("DELETE", "/keys/{key_id}", .administer),
    Entry("POST", "/keys/{key_id}/rotate", .administer),
    // It names people's keys and addresses, and what they were refused.
    Entry("GET", "/audit-log", .administer),
  ]

  /// The permission that a call needs, by its method and its whole path. A call that is not in the table is a mistake of the program,
  /// which does not start with it.
  static func permission(_ method: String, _ path: String) -> Permission {
    guard let entry = entries.first(where: { $0.method == method && Route.root + $0.path == path }) else {
      preconditionFailure("the role table has no \(method) \(path)")
    }
    return entry.permission
  }
}
