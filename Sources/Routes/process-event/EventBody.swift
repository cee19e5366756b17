import API
import FastCGI
import Matching

/// A request's body as the events in it: one object, a JSON array of them, or NDJSON.
struct EventBody {
  /// The longest body, in bytes.
  static let limit = 16 << 20
  /// A body up to this length, in bytes, is kept while it is matched: that costs next to nothing.
  private static let smallSize = 1 << 20

  /// Whether it is NDJSON.
  let isLines: Bool
  private let body: Body
  /// All of it, once it has been kept.
  private var kept: [UInt8]?
  private var isRead = false

  private static let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"]

  /// The body of a call, of which nothing has been read.
  init(_ call: Call) throws {
    body = try call.body(of: [Call.json] + Self.lines)
    isLines = call.mediaType.map(Self.lines.contains) ?? false
  }

  /// Whether it is so short that keeping it costs next to nothing.
  var isSmall: Bool { body.announcedCount.map { $0 <= Self.smallSize } ?? false }

  /// Keeps all of it, so that it can be read again, and answers it; nil if it has been read without being kept.
  @discardableResult
  mutating func keep() throws -> [UInt8]? {
    if kept == nil, !isRead { kept = try body.rest() }
    return kept
  }

  /// Matches every event, as it is read unless the body is kept.
  mutating func read(into intake: inout Intake, by policies: PolicySet) throws {
    isRead = true
    var events = events()
    try intake.read(&events, isLines: isLines, by: policies)
  }

  private func events() -> EventBatch {
    guard let kept else {
      return EventBatch(count: body.announcedCount, eventLimit: Intake.eventLimit) { [body] in try body.read(into: $0) }
    }
    return EventBatch(kept, eventLimit: Intake.eventLimit)
  }
}
