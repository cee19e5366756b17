import Host
import JSON
import Matching

/// What the alert hooks are told of the storage. The JSON form is that of receivers which exist: one member, named after the
/// event, with the times by RFC 3339.
package enum StorageEvent: Sendable, Equatable {
  /// The storage has not been usable for longer than the threshold.
  case unreachable(StorageUnreachable)
  /// It is usable again after that.
  case recovered(StorageRecovered)
}

/// An outage that lasts.
package struct StorageUnreachable: Sendable, Equatable {
  /// When the first of the probes failed that have failed without a break, in seconds since 1970-01-01T00:00:00Z.
  package let firstFailureAt: Int
  /// How many have.
  package let consecutiveFailures: Int
  /// For how many seconds they have.
  package let durationSeconds: Int
  /// Why the last one did.
  package let lastError: String
  /// Whose storage it is.
  package let serviceName: String
}

/// The end of an outage.
package struct StorageRecovered: Sendable, Equatable {
  /// When the outage's first probe failed, in seconds since 1970-01-01T00:00:00Z.
  package let outageStartedAt: Int
  /// When a probe succeeded again.
  package let recoveredAt: Int
  /// The seconds between the two.
  package let durationSeconds: Int
  /// How many events came in meanwhile and were kept outside the storage.
  package let eventsAffected: Int
  /// Whose storage it is.
  package let serviceName: String
}

extension StorageEvent: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      switch self {
      case .unreachable(let event): members.add("StorageUnreachable", event)
      case .recovered(let event): members.add("StorageRecovered", event)
      }
    }
  }

  /// Reads what ``write(to:)`` wrote.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    let unreachable = reader.nested("StorageUnreachable", StorageUnreachable.init(json:))
    let recovered = reader.nested("StorageRecovered", StorageRecovered.init(json:))
    if (unreachable == nil) == (recovered == nil) {
      reader.fault("StorageUnreachable", "must be there, or else StorageRecovered, and not both")
    }
    try reader.finish()
    guard let event = unreachable.map(StorageEvent.unreachable) ?? recovered.map(StorageEvent.recovered) else {
      preconditionFailure("an object without faults has one of the two")
    }
    self = event
  }
}

extension StorageUnreachable: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("first_failure_at", Clock.rfc3339(firstFailureAt))
      members.add("consecutive_failures", consecutiveFailures)
      members.add("unreachable_duration_secs", durationSeconds)
      members.add("last_error", lastError)
      members.add("service_name", serviceName)
    }
  }

  fileprivate init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    firstFailureAt = reader.requiredMoment("first_failure_at")
    consecutiveFailures = reader.requiredCount("consecutive_failures")
    durationSeconds = reader.requiredCount("unreachable_duration_secs")
    lastError = reader.requiredString("last_error", length: 0...100_000)
    serviceName = reader.requiredString("service_name")
    try reader.finish()
  }
}

extension StorageRecovered: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("outage_started_at", Clock.rfc3339(outageStartedAt))
      members.add("recovered_at", Clock.rfc3339(recoveredAt))
      members.add("outage_duration_secs", durationSeconds)
      members.add("events_affected", eventsAffected)
      members.add("service_name", serviceName)
    }
  }

  fileprivate init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    outageStartedAt = reader.requiredMoment("outage_started_at")
    recoveredAt = reader.requiredMoment("recovered_at")
    durationSeconds = reader.requiredCount("outage_duration_secs")
    eventsAffected = reader.requiredCount("events_affected")
    serviceName = reader.requiredString("service_name")
    try reader.finish()
  }
}

extension ObjectReader {
  /// A moment by RFC 3339 that must be there, in seconds since 1970-01-01T00:00:00Z; 0 stands in for a faulty one.
  mutating func requiredMoment(_ key: String) -> Int {
    let text = requiredString(key)
    if let moment = Timestamp(text) { return moment.microseconds / 1_000_000 }
    fault(key, "must be a moment such as 2026-05-07T10:00:00Z")
    return 0
  }

  /// A moment in seconds since 1970-01-01T00:00:00Z that must be there; a clock that was wrong may have been before that.
  mutating func requiredSeconds(_ key: String) -> Int {
    require(key)
    return seconds(key) ?? 0
  }

  /// A number of things that must be there; 0 stands in for a faulty one.
  mutating func requiredCount(_ key: String) -> Int {
    require(key)
    return integer(key, in: 0...Self.numberLimit) ?? 0
  }

  /// A moment in seconds since 1970-01-01T00:00:00Z; nil where there is none.
  mutating func seconds(_ key: String) -> Int? { integer(key, in: -Self.numberLimit...Self.numberLimit) }

  /// The last second of the year 9999, beyond all that happens: whatever is reckoned with two such numbers fits.
  private static var numberLimit: Int { 253_402_300_799 }
}
