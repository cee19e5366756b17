import JSON

/// What a policy makes alerts of: all that is kept of it once its rules are compiled.
struct AlertSource {
  /// The policy's id.
  let id: String
  /// The most alerts that it may raise at once for one throttle key; nil without throttle and cap.
  let alertLimit: Int?
  /// Whether it asks for a digest of what is held back.
  let hasDigest: Bool
  private let name: String
  private let severity: Severity
  private let messageTemplate: Template
  private let summaryTemplate: Template
  private let throttleBy: [FieldPath]

  init(_ id: String, _ policy: Policy) {
    self.id = id
    alertLimit = policy.throttleMinutes > 0 ? 1 : policy.maxAlertsPerHour > 0 ? policy.maxAlertsPerHour : nil
    hasDigest = policy.digestMinutes > 0
    name = policy.name
    severity = policy.severity
    messageTemplate = policy.messageTemplate
    summaryTemplate = policy.summaryTemplate
    throttleBy = policy.throttleBy
  }

  /// The alert that an event comes to, should it be raised.
  func draft(alertID: String, of event: inout MatchedEvent) throws(JSONSyntaxError) -> AlertDraft {
    let document = try event.document()
    let alert = ["severity": severity.rawValue, "policy_name": name, "alert_id": alertID]
    let message = messageTemplate.rendered(event: document, alert: alert, limit: PolicySet.textLimit)
    return AlertDraft(
      id: alertID, title: message.cut(to: PolicySet.titleLimit), message: message,
      summary: summaryTemplate.rendered(event: document, alert: alert, limit: PolicySet.textLimit), event: event.bytes()
    )
  }

  /// The values of the `throttle_by` fields, each as an array of what the path finds, written as JSON.
  func throttleKey(of event: inout MatchedEvent) throws(JSONSyntaxError) -> String {
    if throttleBy.isEmpty { return "[]" }
    let document = try event.document()
    let values = throttleBy.map { JSONValue.array($0.values(in: document)) }
    return String(decoding: JSONValue.array(values).json, as: UTF8.self)
  }
}
