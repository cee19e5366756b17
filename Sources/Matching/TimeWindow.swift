import JSON

/// When a policy may alert, by the wall clock of a time zone: from the minute `start` through the minute `end`, on the days on
/// which the window opens. An `end` before the `start` is on the next day; equal ones mean 24 hours.
///
/// The window is only described here; PostgreSQL's clock and zone tables decide whether it is open.
package struct TimeWindow: Sendable, Equatable {
  /// The first minute, `HH:MM`.
  package let start: String
  /// The last minute, `HH:MM`.
  package let end: String
  /// The days on which the window opens, 0 for Monday to 6 for Sunday, ascending; never empty.
  package let days: [Int]
  /// The IANA name of the zone. That it exists is for PostgreSQL to say.
  package let timezone: String

  /// Reads `{start_time, end_time, days_of_week, timezone}`; without days every day, without a zone UTC.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    start = reader.minuteOfDay("start_time")
    end = reader.minuteOfDay("end_time")
    let days = reader.elements("days_of_week", count: 1...7) { (value) throws(JSONFaults) in
      guard case .number(let number) = value, let day = number.integer, (0...6).contains(day) else {
        throw JSONFaults("must be a whole number from 0 (Monday) to 6 (Sunday)")
      }
      return day
    }
    self.days = Set(days ?? Array(0...6)).sorted()
    timezone = reader.string("timezone", length: 1...64) ?? "UTC"
    try reader.finish()
  }

  /// The window as it is stored and shown, its defaults filled in.
  package var document: JSONObject {
    [
      "start_time": .string(start), "end_time": .string(end),
      "days_of_week": .array(days.map { .number(JSONNumber($0)) }), "timezone": .string(timezone),
    ]
  }
}

extension ObjectReader {
  /// A required time of day, `00:00` to `23:59`.
  fileprivate mutating func minuteOfDay(_ key: String) -> String {
    let text = requiredString(key)
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let isTime =
      text.utf8.count == 5 && parts.count == 2 && parts.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
      && parts[0].count == 2 && parts[0] < "24" && parts[1] < "60"
    if !text.isEmpty, !isTime { fault(key, "must be a time of day from \"00:00\" to \"23:59\"") }
    return text
  }
}
