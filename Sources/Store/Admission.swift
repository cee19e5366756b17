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

/// The decision on one match that has an answer of its own, committed.
package struct Admission: Sendable {
  /// The policy that matched.
  package let policyID: String
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

/// What has to be so still for an admission to have its effects. The statement that admits looks, so that nobody has to ask
/// before.
package struct AdmissionProviso: Sendable, Equatable {
  /// A key that has to be the tenant's and to work.
  let key: KeyDigest
  /// What the tenant's policies have to be of.
  package let policyEpoch: Int

  /// That a key works, and the policies are those of an epoch.
  package init(key: KeyDigest, policyEpoch: Int) {
    self.key = key
    self.policyEpoch = policyEpoch
  }
}

extension Store {
  /// Decides what becomes of matches and writes all of it, or none: alerts, a delivery for each provider, counts, and for events
  /// with an id the decision itself.
  ///
  /// One statement, however many matches there are, with more time for many; time windows and suppressions go by PostgreSQL's
  /// clock, and throttle and cap hold exactly however many statements ask at once, because each takes the row of its throttle
  /// key. A match whose policy has gone is left out of the answer.
  ///
  /// What is held back is counted for digests where a policy asked for one when it was matched and still does.
  ///
  /// Where two statements bring the same event id at once, the second fails on the primary key of `alert_decisions`, leaves
  /// nothing behind, and is run again; then it sees the first. The same holds for a deadlock. After a lost connection it is not
  /// run again: nobody knows whether it took effect, but by the marks that it leaves.
  package func admit(
    tenant: String, _ batch: MatchBatch, leaving marks: [AdmissionMark] = []
  ) throws(PostgresError) -> [Admission] {
    Self.admissions(try admission(tenant: tenant, batch, marks, nil), of: batch).compactMap { $0 }
  }

  /// The same under a proviso, with an admission for each of the batch's answers, nil where its policy has gone; or nil if the
  /// proviso did not hold, and nothing was done.
  package func admit(
    tenant: String, _ batch: MatchBatch, leaving marks: [AdmissionMark], provided proviso: AdmissionProviso
  ) throws(PostgresError) -> [Admission?]? {
    let rows = try admission(tenant: tenant, batch, marks, proviso)
    // Where the policies are still those that matched, there are rows.
    return rows.isEmpty ? nil : Self.admissions(rows, of: batch)
  }

  private func admission(
    tenant: String, _ batch: MatchBatch, _ marks: [AdmissionMark], _ proviso: AdmissionProviso?
  ) throws(PostgresError) -> Rows {
    let parameters = Self.parameters(tenant: tenant, matches: batch.matches, marks: marks, proviso: proviso)
    return try runAgainOnConflict { connection throws(PostgresError) in
      batch.extraSeconds < 1
        ? try connection.run(batch.admission, parameters, after: opening)
        : try connection.run(batch.admission, parameters, after: opening, extraSeconds: batch.extraSeconds)
    }
  }

  /// The answers to a batch's matches, nil where the policy has gone.
  private static func admissions(_ rows: Rows, of batch: MatchBatch) -> [Admission?] {
    var answers: [Int: (row: Row, isRepeat: Bool)] = [:]
    for row in rows { answers[row.int(0) - 1] = (row, false) }
    return batch.answered.map { match in
      guard let (row, isRepeat) = answers[match] else { return nil }
      answers[match]?.isRepeat = true
      return Admission(row: row, policyID: batch.matches[match].key.policyID, isRepeat: isRepeat)
    }
  }

  /// The parameters of ``admission``. An event goes along once, however many policies it met: its matches come one after the
  /// other. What is decided as of now was received at no moment in particular.
  static func parameters(
    tenant: String, matches: some Collection<Match>, receivedAt: Int? = nil, marks: [AdmissionMark] = [],
    proviso: AdmissionProviso? = nil
  ) -> [Parameter] {
    var events: [[UInt8]] = []
    let eventNumbers = matches.map { match -> Int? in
      guard let event = match.alert?.event else { return nil }
      // Arrays of one origin share their storage, which makes them equal without a look at their bytes.
      if events.last != event { events.append(event) }
      return events.count
    }
    return [
      .text(tenant),
      .texts(matches.map(\.key.policyID)),
      .texts(matches.map(\.key.throttleKey)),
      .texts(matches.map(\.key.eventID)),
      .texts(matches.map { $0.alert?.id }),
      .texts(matches.map { $0.alert?.title }),
      .texts(matches.map { $0.alert?.message }),
      .texts(matches.map { $0.alert?.summary }),
      .ints(eventNumbers),
      .texts(matches.map { $0.key.suppressionIDs.joined(separator: " ") }),
      .jsons(events),
      .ints(matches.map(\.events)),
      .bools(matches.map(\.isLimited)),
      .int(receivedAt),
      .texts(marks.map(\.producer)),
      .ints(marks.map(\.sequence)),
      .bytes(proviso?.key.bytes),
      .int(proviso?.policyEpoch),
    ]
  }

  /// Runs a statement, and again where it was rolled back for what ran beside it.
  func runAgainOnConflict(
    _ statement: (Connection) throws(PostgresError) -> Rows
  ) throws(PostgresError) -> Rows {
    for _ in 1..<Self.conflictLimit {
      do {
        return try statement(connected())
      } catch  where error.isConflict || error.isRepeatedEvent {
        continue
      }
    }
    return try statement(connected())
  }

  /// How often a statement is tried before its conflict is passed on: each time another one has got ahead and committed.
  static let conflictLimit = 20
}

extension MatchBatch {
  /// The statement that admits it.
  var admission: Statement { hasDigest ? Store.admissionWithDigests : Store.admission }

  /// What PostgreSQL may need beyond the usual time, in seconds: a busy one raises 2,000 alerts a second. A web server does not
  /// wait for ever (`nginx/tocsin.conf.template`: 60 s).
  fileprivate var extraSeconds: Double { min(Double(matches.count) / 2000, 45) }
}

extension PostgresError {
  /// Whether a concurrent statement has just decided one of the same events.
  var isRepeatedEvent: Bool { isUniqueViolation && refusal?.constraint == "alert_decisions_pkey" }
}

extension Admission {
  fileprivate init(row: Row, policyID: String, isRepeat: Bool) {
    guard let decision = Decision(rawValue: row.text(1)), let severity = Severity(rawValue: row.text(3)) else {
      preconditionFailure("the tables' CHECK constraints and the enums disagree")
    }
    self.policyID = policyID
    self.decision = decision
    alertID = row.textOrNil(2)
    self.severity = severity
    title = row.text(4)
    summary = row.text(5)
    isDuplicate = row.bool(6) || isRepeat
    deliveries = Array(zip(row.texts(7), row.texts(8))).map { (providerID: $0, state: $1) }
  }
}
