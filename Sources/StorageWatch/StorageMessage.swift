import JSON

/// One event on its way to the hooks.
package struct StorageMessage: Sendable, Equatable {
  /// The same for every attempt and every hook, so that a receiver can tell a repeat.
  package let id: String
  /// The outage that it is about.
  package let outageID: String
  /// When it was made, in seconds since 1970-01-01T00:00:00Z.
  package let madeAt: Int
  /// What it tells.
  package let event: StorageEvent
  /// Whether nothing has happened: somebody wants to see whether the hooks get what is sent to them.
  package let isTest: Bool

  init(id: String, outageID: String, madeAt: Int, event: StorageEvent, isTest: Bool = false) {
    self.id = id
    self.outageID = outageID
    self.madeAt = madeAt
    self.event = event
    self.isTest = isTest
  }

  /// An alert of an outage, by its number from 1.
  static func alertID(_ number: Int, of outageID: String) -> String { "\(outageID)-alert-\(number)" }

  /// The end of an outage.
  static func recoveryID(of outageID: String) -> String { "\(outageID)-recovery" }

  /// A test, marked as one where people read it: in `last_error`, for the form leaves no other place.
  package static func test(id: String, at now: Int, serviceName: String) -> StorageMessage {
    let event = StorageUnreachable(
      firstFailureAt: now, consecutiveFailures: 0, durationSeconds: 0,
      lastError: "TEST: somebody tries the alert hooks; nothing is wrong", serviceName: serviceName)
    return StorageMessage(id: id, outageID: id, madeAt: now, event: .unreachable(event), isTest: true)
  }
}

extension StorageMessage: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("id", id)
      members.add("outage_id", outageID)
      members.add("made_at", madeAt)
      members.add("event", event)
    }
  }

  /// Reads what ``write(to:)`` wrote.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.requiredString("id")
    outageID = reader.requiredString("outage_id")
    madeAt = reader.requiredSeconds("made_at")
    reader.require("event")
    let event = reader.nested("event", StorageEvent.init(json:))
    isTest = false
    try reader.finish()
    guard let event else { preconditionFailure("a message without faults has an event") }
    self.event = event
  }
}
