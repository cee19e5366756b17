import Delivery
import JSON

/// How the storage is checked and who is told: the settings of the checker, all of which may be left out.
package struct StorageSettings: Sendable {
  /// When to alert.
  package let rules: AlertRules
  /// From the start of a probe to the start of the next, in seconds.
  package let probeIntervalSeconds: Int
  /// After how many seconds a probe has failed.
  package let probeTimeoutSeconds: Int
  /// Where to say that all is well; nil for nowhere. It is a secret as much as a password.
  package let heartbeatURL: String?
  /// How often to say it, in seconds.
  package let heartbeatSeconds: Int
  /// What is worth a warning.
  package let limits: StorageLimits
  /// Who is told.
  package let hooks: [any StorageAlertHook]

  /// The most hooks there may be.
  private static let hookLimit = 100

  /// Reads the settings; all that is wrong with them is thrown together.
  package init(json: JSONValue, pagerDutyURL: String? = nil) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    rules = AlertRules(
      thresholdSeconds: reader.integer("threshold_secs", in: 0...86_400) ?? 30,
      cooldownSeconds: reader.integer("cooldown_secs", in: 0...604_800) ?? 300,
      notifiesRecovery: reader.bool("notify_recovery") ?? true,
      serviceName: reader.string("service_name", length: 1...100) ?? "tocsin")
    probeIntervalSeconds = reader.integer("probe_interval_secs", in: 1...60) ?? 5
    probeTimeoutSeconds = reader.integer("probe_timeout_secs", in: 1...60) ?? 5
    heartbeatURL = reader.value("heartbeat_url") != nil ? reader.webURL(secret: "heartbeat_url") : nil
    heartbeatSeconds = reader.integer("heartbeat_secs", in: 1...86_400) ?? 60
    limits = StorageLimits(&reader)
    hooks =
      reader.elements("hooks", count: 0...Self.hookLimit) { (json) throws(JSONFaults) in
        try HookKind.hook(json: json, pagerDutyURL: pagerDutyURL)
      } ?? []
    var names: Set<String> = []
    for (index, hook) in hooks.enumerated() where !names.insert(hook.name).inserted {
      reader.fault("hooks", "has the name \"\(hook.name)\" twice, the second time at \(index)")
    }
    try reader.finish()
  }
}

/// From where on something is worth a warning though the storage is usable.
package struct StorageLimits: Sendable, Equatable {
  /// Folders whose disks are looked at, beside those that are known anyway.
  package let disks: [String]
  /// How much of a disk must be free.
  package let freePercent: Int
  /// How far a replica may be behind.
  package let replicationLagSeconds: Int
  /// How long a delivery may be due.
  package let deliveryDelaySeconds: Int

  /// Reads what ``write(to:)`` wrote.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    self.init(&reader)
    try reader.finish()
  }

  fileprivate init(_ reader: inout ObjectReader) {
    disks = reader.strings("disks", count: 0...100, length: 1...4096) ?? []
    freePercent = reader.integer("warn_free_percent", in: 0...100) ?? 10
    replicationLagSeconds = reader.integer("warn_replication_lag_secs", in: 1...604_800) ?? 60
    deliveryDelaySeconds = reader.integer("warn_delivery_delay_secs", in: 1...604_800) ?? 300
  }
}

extension StorageLimits: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("disks", disks)
      members.add("warn_free_percent", freePercent)
      members.add("warn_replication_lag_secs", replicationLagSeconds)
      members.add("warn_delivery_delay_secs", deliveryDelaySeconds)
    }
  }
}
