import Delivery
import Host
import JSON
import Matching

/// A hook that people read: Slack, PagerDuty or a mailbox gets an outage the way it gets an alert, and its end as the alert's
/// resolution. An outage is one incident: its id is the key that PagerDuty folds repeats by and resolves.
struct NoticeHook: ProviderHook {
  let provider: Provider
  private let pagerDutyURL: String?

  init(name: String, _ type: ProviderType, config: JSONValue, pagerDutyURL: String? = nil) throws(JSONFaults) {
    provider = Provider(name: name, kind: try ProviderKind(type, config: config), config: config)
    self.pagerDutyURL = pagerDutyURL
  }

  func errand(for message: StorageMessage, attempt: Attempt) -> Errand {
    .transfer(provider.transfer(for: AlertNotice(message), attempt: attempt, pagerDutyURL: pagerDutyURL))
  }
}

extension AlertNotice {
  fileprivate init(_ message: StorageMessage) {
    let text = StorageText(message)
    self.init(
      text.occasion, tenant: text.serviceName, alertID: message.outageID, policyID: "storage-health",
      policyName: "Storage health", severity: message.isTest ? .info : .critical, title: text.title,
      message: text.message, summary: text.summary, triggeredAt: Clock.rfc3339(text.since),
      event: JSONText(message.event.json), deduplicationKey: message.outageID)
  }
}

/// A message in words.
private struct StorageText {
  let occasion: Occasion
  let serviceName: String
  let title: String
  let summary: String
  let message: String
  /// When the outage began, in seconds since 1970-01-01T00:00:00Z.
  let since: Int

  init(_ message: StorageMessage) {
    switch message.event {
    case .unreachable(let event) where message.isTest:
      occasion = .test
      serviceName = event.serviceName
      title = "TEST of the storage alerts of \(event.serviceName)"
      summary = title
      self.message = event.lastError
      since = event.firstFailureAt
    case .unreachable(let event):
      occasion = .triggered
      serviceName = event.serviceName
      title = "The storage of \(event.serviceName) is unreachable"
      summary = "\(title): \(event.consecutiveFailures) checks in a row failed, for \(event.durationSeconds) s"
      self.message = "The last one: \(event.lastError)"
      since = event.firstFailureAt
    case .recovered(let event):
      let sequel = Occasion.Sequel(
        time: Clock.rfc3339(event.recoveredAt), actor: "check-storage",
        firstDeliveryID: StorageMessage.alertID(1, of: message.outageID))
      occasion = .resolved(sequel)
      serviceName = event.serviceName
      title =
        "The storage of \(event.serviceName) was unreachable for \(event.durationSeconds) s, "
        + "\(event.eventsAffected) events were kept meanwhile"
      (summary, self.message) = (title, "")
      since = event.outageStartedAt
    }
  }
}
