/// One event that one policy matched: what the alert would be, if it may be raised now.
///
/// It says nothing about time: window, throttle, cap and suppression are decided by PostgreSQL when it is admitted.
package struct Match: Sendable {
  /// The policy that matched.
  package let policyID: String
  /// The values of the policy's `throttle_by` fields in the event, as a JSON array; `[]` without such fields.
  package let throttleKey: String
  /// The event's own `event_id`, which makes a repeat harmless; nil where it has none.
  package let eventID: String?
  /// The id of the alert, should it be raised.
  package let alertID: String
  /// The rendered message template, at most 500 characters.
  package let title: String
  /// The rendered message template.
  package let message: String
  /// The rendered summary template.
  package let summary: String
  /// The suppressions whose policy and matchers fit; whether one is in force now is not known here.
  package let suppressionIDs: [String]
  /// The event's bytes as they came.
  package let event: [UInt8]

  /// A match with all its parts.
  package init(
    policyID: String, throttleKey: String, eventID: String?, alertID: String, title: String, message: String,
    summary: String, suppressionIDs: [String], event: [UInt8]
  ) {
    self.policyID = policyID
    self.throttleKey = throttleKey
    self.eventID = eventID
    self.alertID = alertID
    self.title = title
    self.message = message
    self.summary = summary
    self.suppressionIDs = suppressionIDs
    self.event = event
  }
}
