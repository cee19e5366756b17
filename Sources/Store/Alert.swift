import JSON
import Matching
import Postgres

/// How far an alert has come.
package enum AlertStatus: String, CaseIterable, Sendable {
  /// Nobody has seen to it.
  case active
  /// Somebody is at it.
  case acknowledged
  /// It is over.
  case resolved
  /// It was held back by a suppression and is there for the record.
  case suppressed
}

/// One alert as it stands. Moments are RFC 3339 in UTC.
package struct Alert: Sendable {
  /// Its id, unique within the tenant.
  package let id: String
  /// The tenant it belongs to.
  package let tenant: String
  /// The policy that raised it, which may be gone.
  package let policyID: String
  /// How grave it is, as the policy said when it was raised.
  package let severity: Severity
  /// How far it has come.
  package let status: AlertStatus
  /// The rendered message template, at most 500 characters.
  package let title: String
  /// The rendered message template.
  package let message: String
  /// The rendered summary template.
  package let summary: String
  /// The event that raised it, byte for byte as it came.
  package let event: JSONText
  /// The event's own id.
  package let eventID: String?
  /// When it was raised.
  package let triggeredAt: String
  /// When it was acknowledged.
  package let acknowledgedAt: String?
  /// The key that acknowledged it.
  package let acknowledgedBy: String?
  /// When it was resolved.
  package let resolvedAt: String?
  /// The key that resolved it.
  package let resolvedBy: String?
  /// When it last changed, the events that it stands for included.
  package let updatedAt: String
  /// How many events it stands for: the one that raised it and those held back while it was open.
  package let eventCount: Int
  /// When the latest of those events came.
  package let lastEventAt: String
  /// An object: provider id to the state of the delivery that tells of the alert being raised.
  package let deliveryStatus: JSONText

  /// The columns of an alert, in the order that ``init(row:from:tenant:)`` reads them, of a row source that is named `alert`.
  static let columns = """
    alert.alert_id,
    alert.policy_id,
    alert.severity,
    alert.status,
    alert.title,
    alert.message,
    alert.summary,
    alert.event_data,
    alert.event_id,
    rfc3339(alert.triggered_at),
    rfc3339(alert.acknowledged_at),
    alert.acknowledged_by,
    rfc3339(alert.resolved_at),
    alert.resolved_by,
    rfc3339(greatest(alert.updated_at, repeats.last_event_at)),
    1 + coalesce(repeats.events, 0),
    rfc3339(coalesce(repeats.last_event_at, alert.triggered_at)),
    coalesce(delivery.states, '{}')
    """

  /// What ``columns`` need beside the alert itself. OFFSET 0 has a page's repeats looked up one by one, and the
  /// deliveries found by the alert and then kept to the tenant, never the other way round.
  static let joins = """
    LEFT JOIN LATERAL (
      SELECT events, last_event_at
      FROM alert_repeats
      WHERE tenant_id = alert.tenant_id AND alert_id = alert.alert_id
      OFFSET 0
    ) AS repeats ON true
    LEFT JOIN LATERAL (
      SELECT json_object_agg(provider_id, state ORDER BY provider_id) AS states
      FROM (SELECT * FROM alert_deliveries WHERE alert_id = alert.alert_id OFFSET 0) AS of_alert
      WHERE of_alert.tenant_id = alert.tenant_id AND of_alert.event = 'triggered'
    ) AS delivery ON true
    """

  init(row: Row, from column: Int = 0, tenant: String) {
    guard let severity = Severity(rawValue: row.text(column + 2)),
      let status = AlertStatus(rawValue: row.text(column + 3))
    else { preconditionFailure("the tables' CHECK constraints and the enums disagree") }
    id = row.text(column)
    self.tenant = tenant
    policyID = row.text(column + 1)
    self.severity = severity
    self.status = status
    title = row.text(column + 4)
    message = row.text(column + 5)
    summary = row.text(column + 6)
    event = JSONText(row.bytes(column + 7))
    eventID = row.textOrNil(column + 8)
    triggeredAt = row.text(column + 9)
    acknowledgedAt = row.textOrNil(column + 10)
    acknowledgedBy = row.textOrNil(column + 11)
    resolvedAt = row.textOrNil(column + 12)
    resolvedBy = row.textOrNil(column + 13)
    updatedAt = row.text(column + 14)
    eventCount = row.int(column + 15)
    lastEventAt = row.text(column + 16)
    deliveryStatus = JSONText(row.bytes(column + 17))
  }
}

extension Alert: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("alert_id", id)
      members.add("policy_id", policyID)
      members.add("severity", severity.rawValue)
      members.add("status", status.rawValue)
      members.add("title", title)
      members.add("message", message)
      members.add("summary", summary)
      members.add("event_data", event)
      members.add("event_id", eventID)
      members.add("event_count", eventCount)
      members.add("last_event_at", lastEventAt)
      members.add("triggered_at", triggeredAt)
      members.add("acknowledged_at", acknowledgedAt)
      members.add("acknowledged_by", acknowledgedBy)
      members.add("resolved_at", resolvedAt)
      members.add("resolved_by", resolvedBy)
      members.add("delivery_status", deliveryStatus)
      members.add("tenant_id", tenant)
      members.add("created_at", triggeredAt)
      members.add("updated_at", updatedAt)
    }
  }
}
