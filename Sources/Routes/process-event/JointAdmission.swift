import Matching
import Postgres
import Store

/// One admission for several requests that came while their worker was busy: the more of them wait, the less each costs. Those that
/// matched nothing take part as well, for the key and the policies of all are asked about once.
///
/// Each has what it would have alone: its own answer, its own mark, by which it is known afterwards whether its events were
/// admitted, and its own fate where the database refuses what another one brought.
final class JointAdmission {
  /// Whose events they are.
  private let tenant: String
  private let proviso: AdmissionProviso
  private var parts: [Part] = []
  private var outcomes: [Admitted] = []

  private typealias Admitted = Result<[Admission]?, PostgresError>

  /// What one request brings.
  private struct Part {
    var matches: MatchBatch
    let mark: AdmissionMark
  }

  /// An admission of nothing yet.
  init(tenant: String, provided proviso: AdmissionProviso) {
    self.tenant = tenant
    self.proviso = proviso
  }

  /// How many requests there are: the place of the next.
  var count: Int { parts.count }

  /// Whether a request of a tenant can still take part, under a proviso.
  func isOpen(to tenant: String, provided proviso: AdmissionProviso) -> Bool {
    outcomes.isEmpty && tenant.utf8.elementsEqual(self.tenant.utf8) && proviso == self.proviso
  }

  /// Has one more request take part, with what it matched, and answers its place.
  func add(_ matches: MatchBatch, leaving mark: AdmissionMark) -> Int {
    parts.append(Part(matches: matches, mark: mark))
    return parts.count - 1
  }

  /// The mark that the request at a place leaves.
  func mark(at place: Int) -> AdmissionMark { parts[place].mark }

  /// What became of the matches of the request at a place; nil if the proviso did not hold, and nothing was done. It is the end of
  /// the admission: nobody can take part any more.
  func admissions(at place: Int, in store: Store) throws(PostgresError) -> [Admission]? {
    if outcomes.isEmpty {
      outcomes = outcomes(in: store)
      for place in parts.indices { parts[place].matches = MatchBatch() }
    }
    return try outcomes[place].get()
  }

  private func outcomes(in store: Store) -> [Admitted] {
    var all = MatchBatch()
    let places = parts.map { all.add($0.matches) }
    let marks = parts.filter { !$0.matches.matches.isEmpty }.map(\.mark)
    switch admit(all, leaving: marks, in: store) {
    case .success(let admissions):
      return places.map { place in .success(admissions.map { Array($0[place]) }) }
    case .failure(let error) where error.isUnreachable || parts.count == 1:
      return parts.map { _ in .failure(error) }
    case .failure:
      return parts.map { admit($0.matches, leaving: [$0.mark], in: store) }
    }
  }

  private func admit(_ matches: MatchBatch, leaving marks: [AdmissionMark], in store: Store) -> Admitted {
    Result { () throws(PostgresError) in
      if matches.matches.isEmpty { return try store.holds(proviso) ? [] : nil }
      return try store.admit(tenant: tenant, matches, leaving: marks, provided: proviso)
    }
  }
}
