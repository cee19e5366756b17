import JSON
import Matching

/// PagerDuty by its Events API v2: https://developer.pagerduty.com/docs/send-alert-event
package struct PagerDuty: Sendable {
  static let secrets: [SecretMember] = [.value("api_key")]

  /// The most bytes of a whole event: PagerDuty says 512 KB, read here as the smaller of its two meanings.
  static let eventLimit = 512_000

  private let routingKey: String
  private let region: Region
  private let severities: [Severity: PagerDutySeverity]

  /// Where the account is.
  enum Region: String, CaseIterable, Sendable {
    case us, eu

    var baseURL: String {
      switch self {
      case .us: "https://events.pagerduty.com"
      case .eu: "https://events.eu.pagerduty.com"
      }
    }
  }

  /// Reads a `config`. `service_id` and `urgency` mean nothing to Events v2 and are kept for whoever sent them.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    routingKey = reader.requiredSecret("api_key")
    region = reader.choice("region") ?? .us
    severities = reader.nested("severity_map", Self.severities(json:)) ?? [:]
    _ = reader.string("service_id")
    _ = reader.string("urgency")
    try reader.finish()
  }

  private static func severities(
    json: JSONValue
  ) throws(JSONFaults) -> [Severity: PagerDutySeverity] {
    var reader = try ObjectReader(json)
    var severities: [Severity: PagerDutySeverity] = [:]
    for severity in Severity.allCases { severities[severity] = reader.choice(severity.rawValue) }
    try reader.finish()
    return severities
  }

  /// The request that triggers an incident or adds to the open one of the same key, acknowledges that one, or resolves it.
  func transfer(for notice: AlertNotice, baseURL: String?) -> HTTPTransfer {
    var base = (baseURL ?? region.baseURL)[...]
    while base.last == "/" { base.removeLast() }
    return HTTPTransfer(
      url: base + "/v2/enqueue", headers: [.json, .userAgent], body: event(for: notice))
  }

  /// Events v2 confirms with 202 alone; a 200 comes from something else, such as a proxy's page.
  static func hasTaken(_ reply: HTTPReply) -> Bool { reply.status == 202 }

  private func event(for notice: AlertNotice) -> [UInt8] {
    switch notice.occasion {
    case .triggered, .test: trigger(for: notice)
    case .digest(let heldBack): digest(of: heldBack, for: notice).json
    case .acknowledged: sequel("acknowledge", to: notice).json
    case .resolved: sequel("resolve", to: notice).json
    }
  }

  /// What happened to an incident that is open under the same key.
  private func sequel(_ action: String, to notice: AlertNotice) -> JSONValue {
    [
      "routing_key": .string(routingKey), "event_action": .string(action),
      "dedup_key": .string(Self.bounded(key: notice.deduplicationKey)),
    ]
  }

  private func trigger(for notice: AlertNotice) -> [UInt8] {
    let whole = trigger(notice, details: PagerDutyDetails(notice: notice, withEvent: true)).json
    if whole.count <= Self.eventLimit { return whole }
    return trigger(notice, details: PagerDutyDetails(notice: notice, withEvent: false)).json
  }

  private func trigger(_ notice: AlertNotice, details: PagerDutyDetails) -> PagerDutyTrigger {
    PagerDutyTrigger(
      routingKey: routingKey, deduplicationKey: Self.bounded(key: notice.deduplicationKey),
      severity: severity(of: notice), notice: notice, details: details)
  }

  /// A note in the log of the incident that is open for the alert, which pages nobody again; where there is none, an incident
  /// of the lowest severity, to which later digests of the policy are added while it is open.
  private func digest(of heldBack: HeldBack, for notice: AlertNotice) -> JSONValue {
    let isNote = heldBack.firstDeliveryID != nil
    let severity = isNote ? self.severity(of: notice) : .info
    return [
      "routing_key": .string(routingKey), "event_action": "trigger",
      "dedup_key": .string(Self.bounded(key: notice.deduplicationKey)), "client": "Tocsin",
      "payload": [
        "summary": .string(notice.headline.cut(to: 1024)), "source": .string("tocsin/\(notice.tenant)"),
        "severity": .string(severity.rawValue), "timestamp": .string(heldBack.end),
        "component": .string(notice.policyID), "class": .string(notice.policyName.cut(to: 255)),
        "custom_details": [
          "policy_id": .string(notice.policyID), "message": .string(heldBack.sentence), "held_back": heldBack.tree,
        ],
      ],
    ]
  }

  private func severity(of notice: AlertNotice) -> PagerDutySeverity {
    severities[notice.severity] ?? PagerDutySeverity(notice.severity)
  }

  /// A key of at most 255 characters: cutting would make different keys equal, so a longer one is hashed.
  private static func bounded(key: String) -> String {
    if key.utf16.count <= 255 { return key }
    return "sha256:" + Base64.encoded(Digest.sha256(Array(key.utf8)))
  }
}

/// The four severities that PagerDuty takes; any other is answered with 400.
enum PagerDutySeverity: String, CaseIterable, Sendable {
  case critical, error, warning, info

  init(_ severity: Severity) {
    self =
      switch severity {
      case .critical: .critical
      case .high: .error
      case .medium: .warning
      case .low, .info: .info
      }
  }
}

/// A trigger event of Events v2.
private struct PagerDutyTrigger: JSONWritable {
  let routingKey: String
  let deduplicationKey: String
  let severity: PagerDutySeverity
  let notice: AlertNotice
  let details: PagerDutyDetails

  func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("routing_key", routingKey)
      members.add("event_action", "trigger")
      members.add("dedup_key", deduplicationKey)
      members.add("client", "Tocsin")
      members.add("payload", Payload(trigger: self))
    }
  }

  struct Payload: JSONWritable {
    let trigger: PagerDutyTrigger

    func write(to writer: inout JSONWriter) {
      let notice = trigger.notice
      let summary = notice.summary.isEmpty ? notice.title : notice.summary
      writer.object { members in
        members.add("summary", summary.isEmpty ? notice.alertID : summary.cut(to: 1024))
        members.add("source", "tocsin/\(notice.tenant)")
        members.add("severity", trigger.severity.rawValue)
        members.add("timestamp", notice.triggeredAt)
        members.add("component", notice.policyID)
        members.add("class", notice.policyName.cut(to: 255))
        members.add("custom_details", trigger.details)
      }
    }
  }
}

/// What a responder sees of an alert, with the event unless that makes the whole too large.
private struct PagerDutyDetails: JSONWritable {
  let notice: AlertNotice
  let withEvent: Bool

  func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("alert_id", notice.alertID)
      members.add("policy_id", notice.policyID)
      members.add("title", notice.title.cut(to: 1024))
      members.add("message", notice.message.cut(to: 20_000))
      if withEvent {
        members.add("event", notice.eventTree)
      } else {
        members.add("event_left_out", "\(notice.event.bytes.count) bytes are more than PagerDuty takes")
      }
    }
  }
}
