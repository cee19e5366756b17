import JSON

/// What a digest tells: how much a policy's throttle and hourly cap held back in a while.
package struct HeldBack: Sendable, Equatable {
  /// How many events.
  package let events: Int
  /// How many different values, or combinations of values, the fields had in them; nil where that cannot be said.
  package let values: Int?
  /// The policy's `throttle_by` fields.
  package let fields: [String]
  /// When the first of them came, RFC 3339 in UTC.
  package let start: String
  /// The end of the while, RFC 3339 in UTC.
  package let end: String
  /// The id of the delivery that told the same provider of the alert that it belongs to; nil where no such alert is open.
  package let firstDeliveryID: String?

  /// What was held back.
  package init(
    events: Int, values: Int? = nil, fields: [String] = [], start: String, end: String, firstDeliveryID: String? = nil
  ) {
    self.events = events
    self.values = values
    self.fields = fields
    self.start = start
    self.end = end
    self.firstDeliveryID = firstDeliveryID
  }

  /// What was held back, as ``tree`` has it.
  package init(json: JSONValue, firstDeliveryID: String?) throws(JSONFaults) {
    var reader = try ObjectReader(json, acceptsOthers: true)
    events = reader.integer("events", in: 1 ... .max) ?? 0
    values = reader.integer("values", in: 1 ... .max)
    fields = reader.strings("throttle_by", count: 0...10, length: 1...512) ?? []
    start = reader.requiredString("from")
    end = reader.requiredString("to")
    self.firstDeliveryID = firstDeliveryID
    try reader.finish()
  }

  /// In short: `and 412 more from 3 users`.
  var phrase: String { "and \(events) more" + (source.map { " from \($0)" } ?? "") }

  /// In a sentence, for whoever has not heard of throttling.
  var sentence: String {
    let isOne = events == 1
    let origin = source.map { " from \($0)" } ?? ""
    return "\(events) more \(isOne ? "event" : "events")\(origin) met this policy and raised no alert: "
      + "its throttle or its hourly cap held \(isOne ? "it" : "them") back."
  }

  /// What the events came from, as far as the fields tell: `3 users`, `1 value of user.name`.
  private var source: String? {
    guard let values, let field = fields.first else { return nil }
    if fields.count > 1 {
      let names = fields.dropLast().joined(separator: ", ") + " and " + fields[fields.count - 1]
      return "\(values) \(values == 1 ? "combination" : "combinations") of \(names)"
    }
    if Self.isWord(field) { return "\(values) \(values == 1 ? field : Self.plural(of: field))" }
    return "\(values) \(values == 1 ? "value" : "values") of \(field)"
  }

  /// Whether a field's name can be read as a word of its own.
  private static func isWord(_ name: String) -> Bool {
    name.utf8.count > 1 && name.utf8.allSatisfy { (0x61...0x7A).contains($0) } && name.last != "s"
  }

  private static func plural(of word: String) -> String {
    let isAfterVowel = word.dropLast().last.map { "aeiou".contains($0) } ?? true
    if word.last == "y" && !isAfterVowel { return word.dropLast() + "ies" }
    let hisses = ["x", "z", "ch", "sh"].contains { word.hasSuffix($0) }
    return word + (hisses ? "es" : "s")
  }

  /// As receivers and clients see it.
  var tree: JSONValue {
    [
      "events": .number(JSONNumber(events)), "values": values.map { .number(JSONNumber($0)) } ?? .null,
      "throttle_by": .array(fields.map(JSONValue.string)), "from": .string(start), "to": .string(end),
    ]
  }
}

extension HeldBack: JSONWritable {
  package func write(to writer: inout JSONWriter) { tree.write(to: &writer) }
}
