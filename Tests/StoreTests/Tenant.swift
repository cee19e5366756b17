import Glibc
import Host
import JSON
import Matching
import Postgres
import Store
import TestSupport
import Testing

/// A tenant in a database of its own, and what tests do to it.
final class Tenant {
  let name: String
  let database: TestDatabase
  let store: Store

  convenience init() throws { try self.init(in: TestDatabase(), name: "acme") }

  init(in database: TestDatabase, name: String) throws {
    self.name = name
    self.database = database
    store = database.store()
    try store.createKey(KeyForm.make(), tenant: name, KeyDraft(name: "first", role: .admin))
  }

  /// The policy document of a test: the least there is, with the members given.
  static func policy(_ members: JSONObject = JSONObject()) throws -> Policy {
    let minimal: JSONObject = [
      "name": "Logins", "rules": [["field": "type", "operator": "eq", "value": "login"]],
      "message_template": "{user} logged in", "summary_template": "{user}", "providers": [],
    ]
    return try Policy(json: .object(minimal.overlaid(with: members)))
  }

  /// Stores a policy, which has to succeed.
  func makePolicy(_ id: String = "logins", _ members: JSONObject = JSONObject()) throws {
    let saving = try store.createPolicy(tenant: name, id: id, Self.policy(members), by: "tester")
    guard case .saved = saving else { throw Refused(saving: saving) }
  }

  struct Refused: Error {
    let saving: Saving
  }

  /// Stores webhook providers.
  func makeProviders(_ ids: String..., isEnabled: Bool = true) throws {
    for id in ids {
      try database.run(
        """
        INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
        VALUES ('\(name)', '\(id)', '\(id)', 'webhook', \(isEnabled), '{"url": "https://example.com/\(id)"}', 'tester')
        """)
    }
  }

  /// An event that a policy matched.
  struct Matched {
    let key: MatchKey
    let event: String
  }

  /// A match of the policy, for an event that is like no other.
  static func match(
    _ policyID: String = "logins", key: String = "[]", eventID: String? = nil, suppressions: [String] = [],
    event: String = #"{"type":"login"}"#
  ) -> Matched {
    Matched(
      key: MatchKey(policyID: policyID, throttleKey: key, eventID: eventID, suppressionIDs: suppressions), event: event)
  }

  /// The matches of one request, for policies that may raise so many alerts for a key: nil is without limit, and nothing folds.
  static func batch(_ matches: [Matched], limit: Int? = nil, hasDigest: Bool = false) -> MatchBatch {
    var batch = MatchBatch()
    batch.hasDigest = hasDigest
    for match in matches { batch.add(match.key, limit: limit) { draft(event: match.event) } }
    return batch
  }

  /// An alert that may come of a match.
  static func draft(event: String = #"{"type":"login"}"#) -> AlertDraft {
    AlertDraft(
      id: Identifier.make("alert-"), title: "title", message: "message", summary: "summary", event: Array(event.utf8))
  }

  /// Stores a suppression for a time around now, counted in hours.
  func makeSuppression(_ id: String, policy: String? = nil, from: Int = -1, until: Int = 1) throws {
    try database.run(
      """
      INSERT INTO alert_suppressions (
        tenant_id, suppression_id, document, policy_id, starts_at, suppressed_until, created_by
      )
      VALUES (
        '\(name)', '\(id)', '{"matchers": []}', \(policy.map { "'\($0)'" } ?? "NULL"),
        now() + interval '\(from) hours', now() + interval '\(until) hours', 'tester'
      )
      """)
  }

  /// Waits out the last seconds of a clock hour, in which a cap would begin anew in the middle of a test.
  func avoidEndOfHour() throws { try database.avoidEnd(of: "hour", seconds: 20) }

  @discardableResult
  func admit(_ matches: Matched..., limit: Int? = nil) throws -> [Admission] { try admit(matches, limit: limit) }

  @discardableResult
  func admit(_ matches: [Matched], limit: Int? = nil) throws -> [Admission] {
    try store.admit(tenant: name, Self.batch(matches, limit: limit))
  }

  /// The events of each decision in `alert_decision_counts`.
  func counts(of policy: String = "logins") throws -> [String: Int] {
    let rows = try database.connect().run(
      Statement(
        "counts",
        """
        SELECT decision, sum(events)::bigint
        FROM alert_decision_counts
        WHERE tenant_id = $1 AND policy_id = $2
        GROUP BY decision
        """), .text(name), .text(policy))
    return Dictionary(uniqueKeysWithValues: rows.map { ($0.text(0), $0.int(1)) })
  }

  /// All alerts, newest first.
  func alerts(_ filter: AlertFilter = AlertFilter()) throws -> [Alert] {
    try store.alerts(tenant: name, filter, page: Page(number: 1, size: 100)).elements
  }
}
