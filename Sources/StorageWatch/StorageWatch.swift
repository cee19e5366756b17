import JSON

/// What came of one probe of the storage.
package enum ProbeResult: Sendable, Equatable {
  /// What was written could be read back.
  case usable
  /// It could not be written or read back, for a reason.
  case failed(String)
}

/// When to alert.
package struct AlertRules: Sendable, Equatable {
  /// How many seconds of unbroken failure make an alert.
  package let thresholdSeconds: Int
  /// The least seconds between two alerts of one outage.
  package let cooldownSeconds: Int
  /// Whether the end of an outage that was alerted is told.
  package let notifiesRecovery: Bool
  /// Whose storage it is.
  package let serviceName: String

  /// Rules.
  package init(thresholdSeconds: Int, cooldownSeconds: Int, notifiesRecovery: Bool, serviceName: String) {
    self.thresholdSeconds = thresholdSeconds
    self.cooldownSeconds = cooldownSeconds
    self.notifiesRecovery = notifiesRecovery
    self.serviceName = serviceName
  }
}

/// Whether the storage is usable, as its probes tell it. It decides what there is to tell and has no clock of its own.
///
/// An outage begins with a probe that fails and ends with one that succeeds. It is alerted once it has lasted for the threshold,
/// and again whenever the cool-down is over; the cool-down ends with the outage, for another outage is not a repeat.
package struct StorageWatch: Sendable, Equatable {
  /// The outage that lasts; nil while the storage is usable.
  package private(set) var outage: StorageOutage?

  /// A storage of which nothing is known yet.
  package init() {}

  init(outage: StorageOutage?) { self.outage = outage }

  /// Takes note of a probe.
  ///
  /// - Parameters:
  ///   - result: What came of it.
  ///   - now: When, in seconds since 1970-01-01T00:00:00Z.
  ///   - rules: When to alert.
  ///   - newID: The id of the outage, should one begin.
  ///   - isRefusing: Whether events are refused for want of room to keep them; the first time in an outage people are told of it
  ///     at once.
  ///   - eventsAffected: How many events have been kept outside the storage since a moment; asked when an outage ends.
  /// - Returns: What there is to tell; nil in most cases.
  package mutating func note(
    _ result: ProbeResult, at now: Int, rules: AlertRules, newID: String, isRefusing: Bool = false,
    eventsAffected: (Int) -> Int
  ) -> StorageMessage? {
    outage?.followClock(to: now)
    switch result {
    case .failed(let reason):
      var outage = self.outage ?? StorageOutage(id: newID, firstFailureAt: now)
      outage.fail(isRefusing ? "\(Self.refusal): \(reason)" : reason, at: now)
      let alert =
        isRefusing && !outage.hasToldRefusal
        ? outage.alertRefusal(at: now, rules: rules) : outage.alertIfDue(at: now, rules: rules)
      self.outage = outage
      return alert
    case .usable:
      defer { outage = nil }
      guard let outage, outage.alerts > 0, rules.notifiesRecovery else { return nil }
      return outage.recovery(at: now, rules: rules, eventsAffected: eventsAffected(outage.firstFailureAt))
    }
  }
}

extension StorageWatch {
  /// What an alert's error begins with while events are refused.
  static let refusal = "events are refused, for there is no room left to keep them"
}

/// A time in which every probe has failed.
package struct StorageOutage: Sendable, Equatable {
  /// The most that is kept of an error, in characters.
  private static let errorLimit = 1000

  /// What tells it from any other.
  package let id: String
  /// When the first probe failed, in seconds since 1970-01-01T00:00:00Z.
  package private(set) var firstFailureAt: Int
  /// When the last one did.
  package private(set) var lastFailureAt: Int
  /// How many did.
  package private(set) var consecutiveFailures = 0
  /// Why the last one did.
  package private(set) var lastError = ""
  /// How many alerts it has come to.
  package private(set) var alerts = 0
  /// When the last of them was made; nil before the first.
  package private(set) var lastAlertAt: Int?
  /// Whether one of them said that events are refused.
  private(set) var hasToldRefusal = false

  init(id: String, firstFailureAt: Int) {
    self.id = id
    self.firstFailureAt = firstFailureAt
    lastFailureAt = firstFailureAt
  }

  /// Where the wall clock was set back, moves what it has told along: durations stay, and no alert waits for the time to be
  /// reached again.
  mutating func followClock(to now: Int) {
    let step = min(0, now - lastFailureAt)
    firstFailureAt += step
    lastFailureAt += step
    lastAlertAt = lastAlertAt.map { $0 + step }
  }

  mutating func fail(_ reason: String, at now: Int) {
    lastFailureAt = now
    consecutiveFailures += 1
    lastError = String(reason.unicodeScalars.filter { $0 != "\0" }.prefix(Self.errorLimit).map(Character.init))
  }

  mutating func alertIfDue(at now: Int, rules: AlertRules) -> StorageMessage? {
    guard now - firstFailureAt >= rules.thresholdSeconds else { return nil }
    if let lastAlertAt, now - lastAlertAt < rules.cooldownSeconds { return nil }
    return alert(at: now, rules: rules)
  }

  /// An alert that does not wait: what comes in is lost to its senders from now on.
  mutating func alertRefusal(at now: Int, rules: AlertRules) -> StorageMessage {
    hasToldRefusal = true
    return alert(at: now, rules: rules)
  }

  private mutating func alert(at now: Int, rules: AlertRules) -> StorageMessage {
    alerts += 1
    lastAlertAt = now
    let event = StorageUnreachable(
      firstFailureAt: firstFailureAt, consecutiveFailures: consecutiveFailures, durationSeconds: now - firstFailureAt,
      lastError: lastError, serviceName: rules.serviceName)
    return StorageMessage(
      id: StorageMessage.alertID(alerts, of: id), outageID: id, madeAt: now, event: .unreachable(event))
  }

  func recovery(at now: Int, rules: AlertRules, eventsAffected: Int) -> StorageMessage {
    let event = StorageRecovered(
      outageStartedAt: firstFailureAt, recoveredAt: now, durationSeconds: now - firstFailureAt,
      eventsAffected: eventsAffected, serviceName: rules.serviceName)
    return StorageMessage(
      id: StorageMessage.recoveryID(of: id), outageID: id, madeAt: now, event: .recovered(event))
  }
}

extension StorageOutage: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("id", id)
      members.add("first_failure_at", firstFailureAt)
      members.add("last_failure_at", lastFailureAt)
      members.add("consecutive_failures", consecutiveFailures)
      members.add("last_error", lastError)
      members.add("alerts", alerts)
      members.add("last_alert_at", lastAlertAt)
      members.add("has_told_refusal", hasToldRefusal)
    }
  }

  /// Reads what ``write(to:)`` wrote.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.requiredString("id")
    firstFailureAt = reader.requiredSeconds("first_failure_at")
    lastFailureAt = reader.requiredSeconds("last_failure_at")
    consecutiveFailures = reader.requiredCount("consecutive_failures")
    lastError = reader.requiredString("last_error", length: 0...Self.errorLimit)
    alerts = reader.requiredCount("alerts")
    lastAlertAt = reader.seconds("last_alert_at")
    hasToldRefusal = reader.bool("has_told_refusal") ?? false
    try reader.finish()
  }
}
