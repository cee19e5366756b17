import JSON

/// The events of a body and what they meet, before anybody is asked what may come of it.
package struct Intake {
  /// The longest event, in bytes.
  package static let eventLimit = 1 << 20
  /// The most rejected events that are listed.
  package static let listLimit = 1000
  /// The most that the alerts of one body may come to, in bytes; PostgreSQL takes no statement of 1 GiB.
  package static let matchLimit = 128 << 20

  /// Whether a bad event costs only itself.
  package private(set) var isBatch = false
  /// How many events came.
  package private(set) var received = 0
  /// How many of them met at least one policy.
  package private(set) var matched = 0
  /// Each event with each policy that it met.
  package private(set) var matches = MatchBatch(sizeLimit: matchLimit)
  /// The first events that could not be read, by their place from 0, and why.
  package private(set) var rejected: [(index: Int, detail: String)] = []
  /// How many could not be read.
  package private(set) var rejectedCount = 0

  private let makeAlertID: () -> String

  /// An intake without events; `makeAlertID` makes the id of each alert that may come of them.
  package init(makeAlertID: @escaping () -> String) { self.makeAlertID = makeAlertID }

  /// Reads a body to its end and matches every event. In a batch a bad one is rejected on its own, and thrown where it is all there
  /// is. Throws ``IntakeFault``, JSON's errors, and those of the body's source.
  package mutating func read(_ events: inout EventBatch, isLines: Bool, by policies: PolicySet) throws {
    if isLines {
      isBatch = true
      try events.lines { try take($0, by: policies) }
      if received == 0 { throw IntakeFault.empty }
      return
    }
    switch try events.kind() {
    case .array:
      isBatch = true
      try events.elements { try take($0, by: policies) }
    case .object:
      try events.document { try take($0, by: policies) }
    case .empty:
      throw IntakeFault.empty
    case .other:
      let kind = try events.value().kind
      throw JSONFaults(pointer: "", "must be an event, that is an object, or an array of events, not \(kind)")
    }
  }

  /// Matches the next event; nil stands for one that is too large.
  private mutating func take(_ event: Span<UInt8>?, by policies: PolicySet) throws {
    do throws(EventFault) {
      guard let event else { throw .tooLarge }
      try match(event, by: policies)
    } catch {
      guard isBatch else { throw error.alone }
      if rejectedCount < Self.listLimit { rejected.append((received, error.detail)) }
      rejectedCount += 1
    }
    received += 1
    if matches.isOverfull { throw IntakeFault.tooManyMatches }
  }

  private mutating func match(_ event: Span<UInt8>, by policies: PolicySet) throws(EventFault) {
    do {
      let isMatched = try policies.match(event, into: &matches, makeAlertID: makeAlertID)
      matched += isMatched ? 1 : 0
    } catch {
      throw .syntax(error)
    }
  }
}

/// Why a body as a whole cannot be taken in.
package enum IntakeFault: Error, Equatable {
  /// There is nothing in it.
  case empty
  /// The one event that it has is too large.
  case tooLarge
  /// Its events meet so many policies that their alerts come to too much.
  case tooManyMatches
}

/// Why one event cannot be read.
private enum EventFault: Error {
  case tooLarge
  case syntax(JSONSyntaxError)

  /// The fault in a sentence, for the list of rejected events.
  var detail: String {
    switch self {
    case .tooLarge: IntakeFault.tooLarge.description
    case .syntax(let error): "The event is not a JSON object: \(error)."
    }
  }

  /// The fault of a body that has only this event.
  var alone: any Error {
    switch self {
    case .tooLarge: IntakeFault.tooLarge
    case .syntax(let error): error
    }
  }
}

extension IntakeFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .empty: "The body is empty; send a JSON document."
    case .tooLarge: "The event is larger than \(Intake.eventLimit) bytes; send less of it."
    case .tooManyMatches:
      "The events meet so many policies that their alerts come to more than \(Intake.matchLimit) bytes; send fewer at once."
    }
  }
}
