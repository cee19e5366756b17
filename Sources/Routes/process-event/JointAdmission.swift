import Matching
import Postgres
import Store

/// One admission for several requests that came while their worker was busy: the more of them wait, the less each costs. Those that
/// matched nothing take part as well, for the key and the policies of all are asked about once.
///
/// Each has what it would have alone: its own answer, its own mark, by which it is known afterwards whether its events were
/// admitted, and its own fate where the database refuses what another one brought. Only where the database is lost, or takes too
/// long, it is for all of them.
final class JointAdmission {
  /// Whose events they are.
  let tenant: String
  /// What has to hold for all of them.
  let proviso: AdmissionProviso
  private var batches: [MatchBatch] = []
  private var outcomes: [Outcome] = []

  /// What became of what one request brought.
  struct Outcome {
    /// The admissions; nil if the proviso did not hold, and nothing was done.
    let admissions: Result<[Admission]?, PostgresError>
    /// The mark that is left if there were effects, where that is not known.
    let attempt: AdmissionMark?
  }

  /// An admission of nothing yet.
  init(tenant: String, provided proviso: AdmissionProviso) {
    self.tenant = tenant
    self.proviso = proviso
  }

  /// Has one more request take part, with what it matched, and answers its number.
  func add(_ batch: MatchBatch) -> Int {
    batches.append(batch)
    return batches.count - 1
  }

  /// What became of the request of a number. The first that asks has all of them admitted, and nobody can take part after that.
  func outcome(of number: Int, in store: Store, marks: inout AdmissionMark.Supply) -> Outcome {
    if outcomes.isEmpty {
      outcomes = admitTogether(in: store, &marks)
      batches = []
    }
    return outcomes[number]
  }

  private func admitTogether(in store: Store, _ marks: inout AdmissionMark.Supply) -> [Outcome] {
    let (all, parts) = together()
    var unused = marks.next(batches.count { !$0.matches.isEmpty })[...]
    let attempts = batches.map { $0.matches.isEmpty ? nil : unused.popFirst() }
    switch admit(all, leaving: attempts.compactMap { $0 }, in: store) {
    case .success(let admissions):
      return parts.map { part in
        Outcome(admissions: .success(admissions.map { $0[part].compactMap { $0 } }), attempt: nil)
      }
    case .failure(let error) where error.isUnreachable:
      marks.renew()
      return attempts.map { Outcome(admissions: .failure(error), attempt: $0) }
    case .failure(let error):
      return batches.count == 1 ? [Outcome(admissions: .failure(error), attempt: nil)] : admitEach(in: store, &marks)
    }
  }

  /// All that was brought, and where in its answers those of each are.
  private func together() -> (all: MatchBatch, parts: [Range<Int>]) {
    if batches.count == 1 { return (batches[0], [batches[0].answered.indices]) }
    var all = MatchBatch()
    let parts = batches.map { all.add($0) }
    return (all, parts)
  }

  /// Admits one after the other, until the database is lost: those after that have not been tried.
  private func admitEach(in store: Store, _ marks: inout AdmissionMark.Supply) -> [Outcome] {
    var loss: PostgresError?
    return batches.map { batch in
      if let loss { return Outcome(admissions: .failure(loss), attempt: nil) }
      let alone = JointAdmission(tenant: tenant, provided: proviso)
      let outcome = alone.outcome(of: alone.add(batch), in: store, marks: &marks)
      if case .failure(let error) = outcome.admissions, error.isUnreachable { loss = error }
      return outcome
    }
  }

  private func admit(
    _ batch: MatchBatch, leaving marks: [AdmissionMark], in store: Store
  ) -> Result<[Admission?]?, PostgresError> {
    Result { () throws(PostgresError) in
      if batch.matches.isEmpty { return try store.holds(proviso) ? [] : nil }
      return try store.admit(tenant: tenant, batch, leaving: marks, provided: proviso)
    }
  }
}
