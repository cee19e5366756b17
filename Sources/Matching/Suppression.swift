import JSON

/// A time in which the alerts of one policy, or of all, are held back for the events that its matchers hold for. What it holds
/// back is recorded as a suppressed alert.
package struct Suppression: Sendable {
  /// The id; nil where the creator leaves it to the server.
  package let id: String?
  /// The policy whose alerts are held back; nil is every policy.
  package let policyID: String?
  /// What holds for the events whose alerts are held back: all of the matchers.
  package let expression: Expression
  /// When it begins; nil is the moment it is stored.
  package let startsAt: Timestamp?
  /// The moment from which alerts are raised again.
  package let suppressedUntil: Timestamp
  /// The suppression as it is stored and shown, but for the id, the times and the members that the server sets.
  package let document: JSONObject

  /// Reads a suppression document, all of whose faults are thrown together.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.identifier("suppression_id")
    policyID = reader.identifier("policy_id")
    let matchers = reader.elements("matchers", count: 0...100, Expression.init(json:)) ?? []
    expression = .all(matchers)
    if policyID == nil, matchers.isEmpty {
      reader.fault("matchers", "must have a condition where there is no policy_id, or all alerts would be held back")
    }
    let reason = reader.string("reason", length: 0...4000)
    startsAt = reader.timestamp("starts_at")
    reader.require("suppressed_until")
    let end = reader.timestamp("suppressed_until")
    if let startsAt, let end, startsAt >= end { reader.fault("suppressed_until", "must be later than starts_at") }
    reader.ignoreServerMembers()
    try reader.finish()
    guard let end else { throw JSONFaults(pointer: "/suppressed_until", "is required") }
    suppressedUntil = end
    document = [
      "policy_id": .string(orNull: policyID), "matchers": json.object?["matchers"]?.unlessNull ?? [],
      "reason": .string(orNull: reason),
    ]
  }
}

extension ObjectReader {
  /// A moment with an offset, RFC 3339.
  package mutating func timestamp(_ key: String) -> Timestamp? {
    guard let text = string(key) else { return nil }
    guard let timestamp = Timestamp(text) else {
      fault(key, "must be a time such as \"2026-05-07T10:00:00Z\" (RFC 3339)")
      return nil
    }
    return timestamp
  }
}
