import API
import FastCGI
import JSON
import Matching

/// A request's body as the events in it: one object, a JSON array of them, or NDJSON. They are matched as they are read.
struct EventBody: ~Copyable {
  /// The longest body, in bytes.
  static let limit = 16 << 20
  /// The longest event, in bytes.
  static let eventLimit = 1 << 20

  private let isLines: Bool
  private var events: EventBatch

  private static let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"]

  /// The body of a call, of which nothing has been read.
  init(_ call: Call) throws {
    let body = try call.body(of: [Call.json] + Self.lines)
    isLines = call.mediaType.map(Self.lines.contains) ?? false
    events = EventBatch(count: body.announcedCount, eventLimit: Self.eventLimit) { try body.read(into: $0) }
  }

  /// Reads the body and matches every event. A bad one is rejected on its own in a batch, and thrown where it is all there is.
  mutating func read(into intake: inout Intake, by policies: PolicySet) throws {
    if isLines {
      intake.isBatch = true
      try events.lines { try intake.take($0, by: policies) }
      if events.isEmpty { throw Problem.emptyBody }
      return
    }
    switch try events.kind() {
    case .array:
      intake.isBatch = true
      try events.elements { try intake.take($0, by: policies) }
    case .object:
      try events.document { try intake.take($0, by: policies) }
    case .empty:
      throw Problem.emptyBody
    case .other:
      throw Self.refusal(of: try events.value())
    }
  }

  private static func refusal(of value: JSONValue) -> JSONFaults {
    JSONFaults(pointer: "", "must be an event, that is an object, or an array of events, not \(value.kind)")
  }
}
