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

  /// Reads one event and answers what it means for each policy that it matches, in no particular order. Throws if the event is
  /// not one JSON object. `makeAlertID` makes the id of each alert that may come of it.
  package func matches(
    event: Span<UInt8>, makeAlertID: () -> String
  ) throws(JSONSyntaxError) -> [Match] {
    let matched = try policyMatcher.match(event)
    if matched.isEmpty { return [] }
    let bytes = event.withUnsafeBufferPointer { Array($0) }
    let document = try JSONValue(parsing: bytes)
    let holding = try suppressionMatcher.match(event).map { suppressions[$0] }
    return matched.map { index in
      let (id, policy) = policies[index]
      let alertID = makeAlertID()
      let alert = ["severity": policy.severity.rawValue, "policy_name": policy.name, "alert_id": alertID]
      let message = policy.messageTemplate.rendered(event: document, alert: alert, limit: Self.textLimit)
      return Match(
        policyID: id,
        throttleKey: policy.throttleKey(of: document),
        eventID: Self.eventID(of: document),
        alertID: alertID,
        title: message.cut(to: Self.titleLimit),
        message: message,
        summary: policy.summaryTemplate.rendered(event: document, alert: alert, limit: Self.textLimit),
        suppressionIDs: holding.filter { $0.suppression.policyID ?? id == id }.map(\.id),
        event: bytes)
    }
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
  /// The values of the `throttle_by` fields, each as an array of what the path finds, written as JSON.
  fileprivate func throttleKey(of event: JSONValue) -> String {
    let values = throttleBy.map { JSONValue.array($0.values(in: event)) }
    return String(decoding: JSONValue.array(values).json, as: UTF8.self)
  }
}
