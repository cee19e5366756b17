import Matching
import Postgres

/// What becomes of an event that a policy matched.
package enum Decision: String, Sendable {
  /// An alert of its own.
  case raised
  /// Held back by `throttle_minutes`.
  case throttled
  /// Held back by `max_alerts_per_hour`.
  case capped
  /// Held back by a suppression, and on record.
  case suppressed
  /// Held back because the policy's time window was closed.
  case outsideWindow = "outside_window"
}

/// The decision on one match, committed.
package struct Admission: Sendable {
  /// Which of the matches it is about, from 0.
  package let match: Int
  /// What became of it.
  package let decision: Decision
  /// The alert that was raised, or the open one that it folded into; nil outside the window.
  package let alertID: String?
  /// The severity that the policy has now.
  package let severity: Severity
  /// The title of the alert.
  package let title: String
  /// The summary of the alert.
  package let summary: String
  /// Whether the same event had been decided for the same policy before; the decision and the alert are then the first ones.
  package let isDuplicate: Bool
  /// The state of the alert's delivery to each provider, in the order of their ids.
  package let deliveries: [(providerID: String, state: String)]
}

extension Store {
  /// Decides what becomes of matches and writes all of it, or none: alerts, a delivery for each provider, counts, and for events
  /// with an id the decision itself.
  ///
  /// One statement; time windows and suppressions go by PostgreSQL's clock, and throttle and cap hold exactly however many
  /// statements ask at once, because each takes the row of its throttle key. A match whose policy has gone is left out of the
  /// answer.
  ///
  /// A repeat of an event id is decided once: it is answered with the first decision. Where two statements bring the same event
  /// id at once, the second fails on the primary key of `alert_decisions`, leaves nothing behind, and is run again; then it sees
  /// the first. The same holds for a deadlock. After a lost connection it is not run again: nobody knows whether it took effect.
  package func admit(tenant: String, matches: [Match]) throws(PostgresError) -> [Admission] {
    let (firsts, first) = Self.firstOccurrences(of: matches)
    let parameters = Self.parameters(tenant: tenant, matches: firsts.map { matches[$0] })
    let rows = try runAgainOnConflict(Self.admission, parameters)
    let admitted = Dictionary(uniqueKeysWithValues: rows.map { (firsts[$0.int(0) - 1], $0) })
    return matches.indices.compactMap { index in
      admitted[first[index]].map { Admission(row: $0, match: index, isRepeat: first[index] != index) }
    }
  }

  /// Which matches are not repeats of an earlier one of the same policy and event id, and for each match which one it repeats
  /// (itself, if none).
  private static func firstOccurrences(of matches: [Match]) -> (firsts: [Int], first: [Int]) {
    // By their bytes: Swift takes canonically equivalent texts for one, PostgreSQL does not.
    var seen: [[[UInt8]]: Int] = [:]
    var firsts: [Int] = []
    var first: [Int] = []
    for (index, match) in matches.enumerated() {
      let key = match.eventID.map { [Array(match.policyID.utf8), Array($0.utf8)] }
      let earlier = key.flatMap { seen[$0] }
      if earlier == nil { firsts.append(index) }
      if let key, earlier == nil { seen[key] = index }
      first.append(earlier ?? index)
    }
    return (firsts, first)
  }

  /// The parameters of ``admission``. An event goes along once, however many policies it met: its matches come one after the
  /// other.
  private static func parameters(tenant: String, matches: [Match]) -> [Parameter] {
    var events: [[UInt8]] = []
    let eventNumbers = matches.map { match in
      // Arrays of one origin share their storage, which makes them equal without a look at their bytes.
      if events.last != match.event { events.append(match.event) }
      return events.count
    }
    return [
      .text(tenant),
      .texts(matches.map(\.policyID)),
      .texts(matches.map(\.throttleKey)),
      .texts(matches.map(\.eventID)),
      .texts(matches.map(\.alertID)),
      .texts(matches.map(\.title)),
      .texts(matches.map(\.message)),
      .texts(matches.map(\.summary)),
      .ints(eventNumbers),
      .texts(matches.map { $0.suppressionIDs.joined(separator: " ") }),
      .jsons(events),
    ]
  }

  private func runAgainOnConflict(_ statement: Statement, _ parameters: [Parameter]) throws(PostgresError) -> Rows {
    for _ in 1..<Self.conflictLimit {
      do {
        return try connected().run(statement, parameters)
      } catch  where error.isConflict || error.isRepeatedEvent {
        continue
      }
    }
    return try connected().run(statement, parameters)
  }

  /// How often a statement is tried before its conflict is passed on: each time another one has got ahead and committed.
  private static let conflictLimit = 20
}

extension PostgresError {
  /// Whether a concurrent statement has just decided one of the same events.
  fileprivate var isRepeatedEvent: Bool { isUniqueViolation && refusal?.constraint == "alert_decisions_pkey" }
}

extension Admission {
  fileprivate init(row: Row, match: Int, isRepeat: Bool) {
    guard let decision = Decision(rawValue: row.text(1)), let severity = Severity(rawValue: row.text(3)) else {
      preconditionFailure("the tables' CHECK constraints and the enums disagree")
    }
    self.match = match
    self.decision = decision
    alertID = row.textOrNil(2)
    self.severity = severity
    title = row.text(4)
    summary = row.text(5)
    isDuplicate = row.bool(6) || isRepeat
    deliveries = Array(zip(row.texts(7), row.texts(8))).map { (providerID: $0, state: $1) }
  }
}
