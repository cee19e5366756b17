import API
import Host
import JSON
import Matching

/// A request's body as the events in it: one object, a JSON array of them, or NDJSON.
struct EventBody {
  /// The longest body, in bytes.
  static let limit = 16 << 20
  /// The longest event, in bytes.
  static let eventLimit = 1 << 20
  /// The most that the matches of one body may have in text, in bytes; PostgreSQL takes no statement of 1 GiB.
  static let matchLimit = 128 << 20

  /// Whether the body is an array or NDJSON, where a bad event costs only itself.
  let isBatch: Bool
  private let bytes: [UInt8]
  private let events: [Range<Int>]

  private static let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"]

  /// Finds the events of a call's body. What is wrong with one of them is found by ``intake(by:)``.
  init(_ call: Call) throws {
    let body = try call.body(of: [Call.json] + Self.lines)
    bytes = body
    let first = body.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
    if let type = call.mediaType, Self.lines.contains(type) {
      isBatch = true
      events = EventBatch(lines: body.span).events
    } else if first == UInt8(ascii: "[") {
      isBatch = true
      events = try EventBatch(array: body.span).events
    } else {
      isBatch = false
      events = [body.indices]
      if first != UInt8(ascii: "{") { throw Self.refusal(of: try JSONValue(parsing: body)) }
    }
  }

  private static func refusal(of value: JSONValue) -> JSONFaults {
    JSONFaults(pointer: "", "must be an event, that is an object, or an array of events, not \(value.kind)")
  }

  /// Matches every event. A bad one is rejected on its own in a batch, and thrown where it is all there is.
  func intake(by policies: PolicySet) throws -> Intake {
    var intake = Intake(received: events.count)
    for (index, range) in events.enumerated() {
      do {
        let matches = try matches(of: range, by: policies)
        intake.matched += matches.isEmpty ? 0 : 1
        intake.matches += matches
        intake.matchSize += matches.reduce(matches.isEmpty ? 0 : range.count) { $0 + $1.textSize }
      } catch {
        guard isBatch else { throw error.asProblem }
        intake.rejected.append((index, error.detail))
      }
      guard intake.matchSize <= Self.matchLimit else { throw Self.tooManyMatches }
    }
    return intake
  }

  private static let tooManyMatches = Problem.tooLarge(
    "The events meet so many policies that their alerts come to more than \(matchLimit) bytes; send fewer at once.")

  private func matches(of range: Range<Int>, by policies: PolicySet) throws(EventFault) -> [Match] {
    guard range.count <= Self.eventLimit else { throw .tooLarge }
    do {
      return try policies.matches(event: bytes.span.extracting(range)) { Identifier.make("alert-") }
    } catch {
      throw .syntax(error)
    }
  }
}

/// Why one event cannot be read.
private enum EventFault: Error {
  case tooLarge
  case syntax(JSONSyntaxError)

  /// The fault in a sentence, for the list of rejected events.
  var detail: String {
    switch self {
    case .tooLarge: "The event is larger than \(EventBody.eventLimit) bytes; send less of it."
    case .syntax(let error): "The event is not a JSON object: \(error)."
    }
  }

  /// The fault as the answer to the whole request.
  var asProblem: any Error {
    switch self {
    case .tooLarge: Problem.tooLarge(detail)
    case .syntax(let error): error
    }
  }
}

/// What a body's events came to before PostgreSQL is asked.
struct Intake {
  /// How many events came.
  let received: Int
  /// How many of them met at least one policy.
  var matched = 0
  /// The bytes of the events that met a policy, and of the words of their alerts.
  var matchSize = 0
  /// Each event with each policy that it met.
  var matches: [Match] = []
  /// The events that could not be read, by their place from 0, and why.
  var rejected: [(index: Int, detail: String)] = []

  init(received: Int) { self.received = received }
}

extension Match {
  /// The bytes of the alert's words.
  fileprivate var textSize: Int { title.utf8.count + message.utf8.count + summary.utf8.count }
}
