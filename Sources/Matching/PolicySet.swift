import JSON

/// All that a tenant's policies ask of an event, compiled once and asked often.
package struct PolicySet {
  /// The longest title, in characters.
  package static let titleLimit = 500
  /// The longest message and the longest summary, in characters.
  package static let textLimit = 65_536

  private let policies: [AlertSource]
  private let suppressions: [(id: String, policyID: String?)]
  private let policyMatcher: Matcher
  private let suppressionMatcher: Matcher

  /// Compiles a tenant's policies, of which only those that are switched on count, with the stored rules that they name and the
  /// suppressions that are not over. The policies are taken one after the other until there is none: of each is kept only what
  /// its alerts are made of.
  package init<Failure>(
    rules: [String: Rule], suppressions: [(id: String, suppression: Suppression)],
    nextPolicy: () throws(Failure) -> (id: String, policy: Policy)?
  ) throws(Failure) {
    var sources: [AlertSource] = []
    policyMatcher = try Matcher { () throws(Failure) -> Expression? in
      while let (id, policy) = try nextPolicy() {
        guard policy.isEnabled else { continue }
        sources.append(AlertSource(id, policy))
        return policy.expression(rules: rules)
      }
      return nil
    }
    policies = sources
    suppressionMatcher = Matcher(suppressions.map(\.suppression.expression))
    self.suppressions = suppressions.map { ($0.id, $0.suppression.policyID) }
  }

  /// No policies: what is matched against them is only read.
  package static var empty: PolicySet { PolicySet(rules: [:], suppressions: []) { () throws(Never) in nil } }

  /// Reads one event, adds what each policy makes of it that it matches, and tells whether any does. Throws if the event is not
  /// one JSON object. Once the batch is overfull the other policies are left out. `makeAlertID` makes the id of each alert that
  /// may come of it.
  package func match(
    _ event: Span<UInt8>, into batch: inout MatchBatch, makeAlertID: () -> String
  ) throws(JSONSyntaxError) -> Bool {
    let matched = try policyMatcher.match(event)
    if matched.isEmpty { return false }
    let holding = try suppressions.isEmpty ? [] : suppressionMatcher.match(event).map { suppressions[$0] }
    try event.withUnsafeBufferPointer { (bytes) throws(JSONSyntaxError) in
      var event = MatchedEvent(bytes)
      let eventID = try event.id()
      for index in matched where !batch.isOverfull {
        let policy = policies[index]
        if policy.hasDigest { batch.hasDigest = true }
        let key = MatchKey(
          policyID: policy.id, throttleKey: try policy.throttleKey(of: &event), eventID: eventID,
          suppressionIDs: holding.filter { $0.policyID ?? policy.id == policy.id }.map(\.id))
        try batch.add(key, limit: policy.alertLimit) { () throws(JSONSyntaxError) in
          try policy.draft(alertID: makeAlertID(), of: &event)
        }
      }
    }
    return true
  }
}
