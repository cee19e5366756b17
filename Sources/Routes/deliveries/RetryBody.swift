import API
import Host
import JSON
import Matching
import Store

/// What a client says about what is to be tried afresh.
enum RetryBody {
  /// Whether one delivery is to be sent even if it was sent before; a call without content says nothing.
  static func again(of call: Call) throws -> Bool {
    let bytes = try call.body(of: [Call.json]).rest()
    if bytes.isEmpty { return false }
    var reader = try ObjectReader(JSONValue(parsing: bytes))
    let again = reader.bool("again") ?? false
    try reader.finish()
    return again
  }

  /// Which deliveries are to be tried afresh.
  static func replay(of document: JSONValue) throws(JSONFaults) -> Replay {
    var reader = try ObjectReader(document)
    var replay = Replay()
    replay.filter.alertID = reader.identifier("alert_id")
    replay.filter.providerID = reader.identifier("provider_id")
    replay.policyID = reader.identifier("policy_id")
    replay.filter.start = reader.timestamp("from")
    replay.filter.end = reader.timestamp("to")
    if let start = replay.filter.start, let end = replay.filter.end, end.microseconds < start.microseconds {
      reader.fault("to", "must not be earlier than from")
    }
    if let states = states(&reader) { replay.filter.states = states }
    let again = reader.bool("again") ?? false
    if replay.filter.states?.contains(.sent) == true && !again {
      reader.fault("states", "has \"sent\": say \"again\": true to have sent what was sent before")
    }
    replay.after = reader.string("after")
    if let after = replay.after, !Identifier.isUUID(after) { reader.fault("after", "must be the id of a delivery") }
    try reader.finish()
    return replay
  }

  private static func states(_ reader: inout ObjectReader) -> [DeliveryState]? {
    reader.elements("states", count: 1...DeliveryState.allCases.count) { (value) throws(JSONFaults) in
      if let state = value.string.flatMap(DeliveryState.init(rawValue:)) { return state }
      throw JSONFaults("must be one of " + DeliveryState.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    }
  }
}
