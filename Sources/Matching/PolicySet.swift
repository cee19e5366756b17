import JSON

/// All that a tenant's policies ask of an event, compiled once and asked often.
package struct PolicySet {
  /// The longest title, in characters.
  package static let titleLimit = 500
  /// The longest message and the longest summary, in characters.
  package static let textLimit = 65_536

  private let policies: [(id: String, policy: Policy)]
  private let suppressions: [(id: String, suppression: Suppression)]
  private let policyMatcher: Matcher
  private let suppressionMatcher: Matcher

  /// Compiles the tenant's policies, of which only those that are switched on count, with the stored rules that they name and
  /// the suppressions that are not over.
  package init(
    policies: [(id: String, policy: Policy)], rules: [String: Rule],
    suppressions: [(id: String, suppression: Suppression)]
  ) {
    self.policies = policies.filter(\.policy.isEnabled)
    self.suppressions = suppressions
    policyMatcher = Matcher(self.policies.map { $0.policy.expression(rules: rules) })
    suppressionMatcher = Matcher(suppressions.map(\.suppression.expression))
  }

  /// Reads one event, adds what each policy makes of it that it matches, and tells whether any does. Throws if the event is not
  /// one JSON object. Once the batch is overfull the other policies are left out. `makeAlertID` makes the id of each alert that
  /// may come of it.
  package func match(
    _ event: Span<UInt8>, into batch: inout MatchBatch, makeAlertID: () -> String
  ) throws(JSONSyntaxError) -> Bool {
    let matched = try policyMatcher.match(event)
    if matched.isEmpty { return false }
    let bytes = event.withUnsafeBufferPointer { Array($0) }
    let document = try JSONValue(parsing: bytes)
    let eventID = Self.eventID(of: document)
    let holding = try suppressions.isEmpty ? [] : suppressionMatcher.match(event).map { suppressions[$0] }
    for index in matched where !batch.isOverfull {
      let (id, policy) = policies[index]
      let key = MatchKey(
        policyID: id, throttleKey: policy.throttleKey(of: document), eventID: eventID,
        suppressionIDs: holding.filter { $0.suppression.policyID ?? id == id }.map(\.id))
      batch.add(key, limit: policy.alertLimit) {
        policy.draft(alertID: makeAlertID(), event: bytes, document: document)
      }
    }
    return true
  }

  /// A string or a number at the top of the event; anything else names no event. U+0000 becomes U+FFFD for PostgreSQL's sake.
  private static func eventID(of event: JSONValue) -> String? {
    switch event.object?["event_id"] {
    case .string(let id)? where !id.isEmpty: id.replacingNUL
    case .number(let number)?: number.text
    default: nil
    }
  }
}

extension Policy {
  /// The most alerts that it may raise at once for one throttle key; nil without throttle and cap.
  fileprivate var alertLimit: Int? {
    throttleMinutes > 0 ? 1 : maxAlertsPerHour > 0 ? maxAlertsPerHour : nil
  }

  fileprivate func draft(alertID: String, event: [UInt8], document: JSONValue) -> AlertDraft {
    let alert = ["severity": severity.rawValue, "policy_name": name, "alert_id": alertID]
    let message = messageTemplate.rendered(event: document, alert: alert, limit: PolicySet.textLimit)
    return AlertDraft(
      id: alertID, title: message.cut(to: PolicySet.titleLimit), message: message,
      summary: summaryTemplate.rendered(event: document, alert: alert, limit: PolicySet.textLimit), event: event)
  }

  /// The values of the `throttle_by` fields, each as an array of what the path finds, written as JSON.
  fileprivate func throttleKey(of event: JSONValue) -> String {
    let values = throttleBy.map { JSONValue.array($0.values(in: event)) }
    return String(decoding: JSONValue.array(values).json, as: UTF8.self)
  }
}
