import API
import Host
import JSON
import Matching

/// What a body's events came to before PostgreSQL is asked.
struct Intake {
  /// The most rejected events that are listed.
  static let listLimit = 1000
  /// The most that the alerts of one body may come to, in bytes; PostgreSQL takes no statement of 1 GiB.
  static let matchLimit = 128 << 20

  /// Matches of more bytes than this are given back to the system once they are done with.
  private static let largeSize = 8 << 20

  /// Whether a bad event costs only itself.
  var isBatch = false
  /// How many events came.
  private(set) var received = 0
  /// How many of them met at least one policy.
  private(set) var matched = 0
  /// Each event with each policy that it met.
  private(set) var matches = MatchBatch(sizeLimit: matchLimit)
  /// The first events that could not be read, by their place from 0, and why.
  private(set) var rejected: [(index: Int, detail: String)] = []
  /// How many could not be read.
  private(set) var rejectedCount = 0

  /// Matches the next event; nil stands for one that is too large.
  mutating func take(_ event: Span<UInt8>?, by policies: PolicySet) throws {
    do throws(EventFault) {
      guard let event else { throw .tooLarge }
      try match(event, by: policies)
    } catch {
      guard isBatch else { throw error.asProblem }
      if rejectedCount < Self.listLimit { rejected.append((received, error.detail)) }
      rejectedCount += 1
    }
    received += 1
    if matches.isOverfull { throw Self.tooManyMatches }
  }

  /// Lets go of the matches.
  mutating func release() {
    let isLarge = matches.size > Self.largeSize
    matches = MatchBatch(sizeLimit: Self.matchLimit)
    if isLarge { Memory.returnUnused() }
  }

  private mutating func match(_ event: Span<UInt8>, by policies: PolicySet) throws(EventFault) {
    do {
      let isMatched = try policies.match(event, into: &matches) { Identifier.make("alert-") }
      matched += isMatched ? 1 : 0
    } catch {
      throw .syntax(error)
    }
  }

  private static let tooManyMatches = Problem.tooLarge(
    "The events meet so many policies that their alerts come to more than \(matchLimit) bytes; send fewer at once.")
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
