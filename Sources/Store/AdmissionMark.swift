import Host
import Postgres

/// What an admission leaves behind with its effects, so that somebody can find out whether it had them whose answer was lost.
package struct AdmissionMark: Sendable, Equatable {
  /// Who makes the admissions, a UUID.
  let producer: String
  /// The number of the admission among its producer's.
  let sequence: Int

  private init(producer: String, sequence: Int) {
    self.producer = producer
    self.sequence = sequence
  }

  /// The mark in a text that ``text`` gave. Throws for any other text.
  package init(_ text: String) throws(UnknownMark) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, Identifier.isUUID(parts[0]), let sequence = Int(parts[1]) else {
      throw UnknownMark(text: text)
    }
    self.init(producer: parts[0], sequence: sequence)
  }

  /// The mark as one text, for where it is kept.
  package var text: String { "\(producer)/\(sequence)" }

  /// The marks that a process gives its admissions, one after the other. Who takes one uses it before the next is taken: a mark that
  /// comes after a greater one says that it is there already.
  package struct Series {
    private var latest = AdmissionMark(producer: Identifier.make(""), sequence: 0)

    /// The first of them is still to come.
    package init() {}

    /// The mark of one more admission.
    package mutating func next() -> AdmissionMark {
      latest = AdmissionMark(producer: latest.producer, sequence: latest.sequence + 1)
      return latest
    }

    /// Begins afresh after an admission whose answer was lost, so that its mark is not written over.
    package mutating func renew() { self = Series() }
  }
}

extension AdmissionMark {
  /// The marks that a process gives admissions of several requests, each of which leaves one of its own.
  package struct Supply {
    private var series: [Series] = []

    /// No mark of it has been taken.
    package init() {}

    /// So many marks for the next admission, each of another producer. It has to be sent before they are taken for another one.
    package mutating func next(_ count: Int) -> [AdmissionMark] {
      while series.count < count { series.append(Series()) }
      return (0..<count).map { series[$0].next() }
    }

    /// Begins afresh after an admission whose answer was lost, so that its marks are not written over.
    package mutating func renew() { self = Supply() }
  }
}

/// A text that should be a mark and is none.
package struct UnknownMark: Error, CustomStringConvertible {
  let text: String

  package var description: String { "no mark of an admission: \(text)" }
}

extension Store {
  /// Leaves an admission's mark on behalf of whoever knows the events from somewhere else. False if it is there already: the
  /// admission has had its effects. Otherwise it cannot have them any more once this is committed.
  func claim(_ mark: AdmissionMark, tenant: String, on connection: Connection) throws(PostgresError) -> Bool {
    try !connection.run(
      Self.claim, [.text(tenant), .text(mark.producer), .int(mark.sequence)], after: opening
    ).isEmpty
  }

  private static let claim = Statement(
    "claim_admission",
    """
    INSERT INTO alert_admission_marks AS mark (tenant_id, producer, sequence)
    VALUES ($1, $2::uuid, $3)
    ON CONFLICT (tenant_id, producer) DO UPDATE
    SET sequence = excluded.sequence, marked_at = now()
    WHERE mark.sequence < excluded.sequence
    RETURNING sequence
    """)
}
