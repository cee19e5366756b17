import JSON
import Matching

/// What a provider needs to know of an alert to tell a person about it.
package struct AlertNotice: Sendable {
  /// What it tells of the alert.
  package let occasion: Occasion
  /// The tenant whose alert it is.
  package let tenant: String
  /// The alert's id.
  package let alertID: String
  /// The id of the policy that raised it.
  package let policyID: String
  /// What people call that policy.
  package let policyName: String
  /// How grave the alert is.
  package let severity: Severity
  /// The rendered title, one line in most cases.
  package let title: String
  /// The rendered message.
  package let message: String
  /// The rendered summary.
  package let summary: String
  /// When the alert was raised, RFC 3339 in UTC.
  package let triggeredAt: String
  /// The event that raised it: one JSON object, byte for byte as it is stored.
  package let event: JSONText
  /// What alerts about the same trouble have in common; receivers that can fold repeats by it do.
  package let deduplicationKey: String

  /// A notice about an alert.
  package init(
    _ occasion: Occasion, tenant: String, alertID: String, policyID: String, policyName: String, severity: Severity,
    title: String,
    message: String, summary: String, triggeredAt: String, event: JSONText, deduplicationKey: String
  ) {
    self.occasion = occasion
    self.tenant = tenant
    self.alertID = alertID
    self.policyID = policyID
    self.policyName = policyName
    self.severity = severity
    self.title = title
    self.message = message
    self.summary = summary
    self.triggeredAt = triggeredAt
    self.event = event
    self.deduplicationKey = deduplicationKey
  }

  /// The title with what has become of the alert before it; a digest has one of its own.
  var headline: String {
    if case .digest(let heldBack) = occasion { return "\(policyName): \(heldBack.phrase)" }
    return occasion.sequel.map { "\($0.word): \(title)" } ?? title
  }

  /// The words by which a person knows the alert. A digest that is about no open alert is known by its headline.
  var names: (title: String, summary: String, message: String) {
    if case .digest(let heldBack) = occasion, heldBack.firstDeliveryID == nil { return (headline, headline, headline) }
    return (title, summary, message)
  }

  /// What a person reads of the alert in short, by name.
  var facts: [(name: String, value: String)] {
    if case .digest(let heldBack) = occasion {
      let facts = [
        ("Severity", severity.rawValue), ("Policy", policyName), ("From", heldBack.start), ("To", heldBack.end),
      ]
      return heldBack.firstDeliveryID == nil ? facts : facts + [("Alert", alertID)]
    }
    let facts = [("Severity", severity.rawValue), ("Policy", policyName), ("Time", triggeredAt), ("Alert", alertID)]
    guard let (word, sequel) = occasion.sequel else { return facts }
    return facts + [(word, sequel.time), ("By", sequel.actor)]
  }

  /// Summary and message as far as they say more than the title; those who have read them are not told again.
  var bodies: [String] {
    if case .digest(let heldBack) = occasion { return [heldBack.sentence] }
    if occasion.sequel != nil { return [] }
    var bodies: [String] = []
    for text in [summary, message] where text != title && !text.isEmpty && !bodies.contains(text) {
      bodies.append(text)
    }
    return bodies
  }

  /// The event as a tree, in which lone surrogates are U+FFFD and keys are unique: for receivers that refuse either. An event
  /// that cannot be read as one becomes a string that says why.
  var eventTree: JSONValue {
    do {
      return try JSONValue(parsing: event.bytes)
    } catch {
      return .string("the event cannot be shown: \(error)")
    }
  }
}

/// One try at a delivery.
package struct Attempt: Sendable {
  /// The delivery's id: the same for every attempt, so a receiver can tell a repeat.
  package let deliveryID: String
  /// When the attempt is made, in seconds since 1970-01-01T00:00:00Z.
  package let time: Int
  /// The e-mail addresses that an earlier attempt could not reach; nil for all that the provider names.
  package let recipients: [String]?

  /// An attempt at a delivery.
  package init(deliveryID: String, time: Int, recipients: [String]? = nil) {
    self.deliveryID = deliveryID
    self.time = time
    self.recipients = recipients
  }
}
