/// What one policy makes of one event that it matched, or of several of which no more has to be known than how many they are.
///
/// It says nothing about time: window, throttle, cap and suppression are decided by PostgreSQL when it is admitted.
package struct Match: Sendable {
  /// What it is decided by.
  package let key: MatchKey
  /// Whether the policy had a throttle or a cap.
  package let isLimited: Bool
  /// What the alert would be, if it may be raised now; nil where earlier matches of the request have all the alerts that the
  /// policy's throttle or cap leaves room for.
  package let alert: AlertDraft?
  /// How many events it stands for: one, unless there is no alert to come of it.
  package internal(set) var events = 1
}

/// What a match is decided by: those that have it in common, and no event id, are told apart by nothing but their number.
package struct MatchKey: Sendable {
  /// The policy that matched.
  package let policyID: String
  /// The values of the policy's `throttle_by` fields in the event, as a JSON array; `[]` without such fields.
  package let throttleKey: String
  /// The event's own `event_id`, which makes a repeat harmless; nil where it has none.
  package let eventID: String?
  /// The suppressions whose policy and matchers fit; whether one is in force now is not known here.
  package let suppressionIDs: [String]

  /// A key with all its parts.
  package init(policyID: String, throttleKey: String = "[]", eventID: String? = nil, suppressionIDs: [String] = []) {
    self.policyID = policyID
    self.throttleKey = throttleKey
    self.eventID = eventID
    self.suppressionIDs = suppressionIDs
  }
}

/// An alert that may come of a match.
package struct AlertDraft: Sendable {
  /// The id of the alert, should it be raised.
  package let id: String
  /// The rendered message template, at most 500 characters.
  package let title: String
  /// The rendered message template.
  package let message: String
  /// The rendered summary template.
  package let summary: String
  /// The event's bytes as they came.
  package let event: [UInt8]

  /// A draft with all its parts.
  package init(id: String, title: String, message: String, summary: String, event: [UInt8]) {
    self.id = id
    self.title = title
    self.message = message
    self.summary = summary
    self.event = event
  }
}
