import Host
import JSON
import Matching
import Postgres
import Spool
import Store

/// A spooled body and where it is.
struct SpoolRecord {
  let body: SpooledBody
  let range: Range<Int>
  let cursor: SegmentCursor
}

/// Decides what becomes of spooled events, as if they came in now, but as of the moment they did.
///
/// What a tenant's records have to wait for, only that tenant's records wait for.
final class SpoolAdmitter {
  /// How long compiled policies are taken to be the tenant's, in seconds.
  private static let policyLifetime = 5.0

  private let store: Store
  private var policies: [String: (set: PolicySet, loadedAt: Double)] = [:]
  /// Until when keys could send events.
  private var keyEnds: [String: Int] = [:]
  /// The tenants that have to wait until the next pass.
  private var waiting: Set<String> = []

  init(_ store: Store) { self.store = store }

  /// Begins a pass.
  func begin() {
    waiting = []
    policies = [:]
    keyEnds = [:]
  }

  /// Admits records of one tenant that came in at about the same time. Throws if the database is away; what else goes wrong is
  /// told, and either sets a record aside or leaves it for the next pass.
  func admit(_ records: [SpoolRecord], of tenant: String) throws {
    if waiting.contains(tenant) { return records.forEach { $0.cursor.isDone = false } }
    do {
      try admitTogether(records.filter { try isAllowed($0, tenant) && isUndecided($0, tenant) }, of: tenant)
    } catch let error as PostgresError where error.isUnreachable {
      throw error
    } catch let error as SystemError {
      throw error
    } catch {
      Log.error("the spooled events of a tenant wait", ["tenant": tenant, "reason": "\(error)"])
      waiting.insert(tenant)
      records.forEach { $0.cursor.isDone = false }
    }
  }

  /// Admits all of them or, if something is wrong with one, each on its own.
  private func admitTogether(_ records: [SpoolRecord], of tenant: String) throws {
    guard let first = records.first else { return }
    let policies = try policies(of: tenant, since: first.body.receivedAt)
    do {
      var intake = Intake { Identifier.make("alert-") }
      for record in records {
        var events = EventBatch(record.body.bytes, eventLimit: Intake.eventLimit)
        try intake.read(&events, isLines: record.body.isLines, by: policies)
      }
      if intake.matched == 0 { return }
      let isNew = try store.replay(
        tenant: tenant, intake.matches, receivedAt: first.body.receivedAt, to: marks(after: records))
      if !isNew { throw OvertakenReplay() }
    } catch  where error.isAboutOneRecord {
      if records.count > 1 { return try records.forEach { try admitTogether([$0], of: tenant) } }
      try first.cursor.setAside(first.range, because: "\(error)")
    }
  }

  /// Where the tenant's next records may begin in the segments of these.
  private func marks(after records: [SpoolRecord]) -> [SpoolMark] {
    var ends: [String: Int] = [:]
    for record in records { ends[record.cursor.reader.name] = record.range.upperBound }
    return ends.map { SpoolMark(segment: $0.key, replayedTo: $0.value) }
  }

  /// Whether the key could send events for the tenant when the record came in: a worker that could not ask has taken it.
  private func isAllowed(_ record: SpoolRecord, _ tenant: String) throws -> Bool {
    let body = record.body
    let key = "\(tenant) \(body.keyDigest)"
    let end = try keyEnds[key] ?? store.ingestEnd(ofKey: body.keyDigest, tenant: tenant)
    keyEnds[key] = end
    if body.receivedAt < end { return true }
    try record.cursor.setAside(record.range, because: "its key was revoked before it came in, or never the tenant's")
    return false
  }

  /// Whether no admission of the record took effect before it was spooled.
  private func isUndecided(_ record: SpoolRecord, _ tenant: String) throws -> Bool {
    try record.body.attemptedAlerts.isEmpty || !store.hasAny(of: record.body.attemptedAlerts, tenant: tenant)
  }

  private func policies(of tenant: String, since moment: Int) throws -> PolicySet {
    if let known = policies[tenant], Clock.monotonic - known.loadedAt < Self.policyLifetime { return known.set }
    let set = try store.compiledPolicies(tenant: tenant, since: moment).set
    policies[tenant] = (set, Clock.monotonic)
    return set
  }
}

/// Somebody else has replayed records that this process was about to.
private struct OvertakenReplay: Error, CustomStringConvertible {
  let description = "another process replays the same segments"
}

extension Error {
  /// Whether something is wrong with what a record has in it, so that it would go wrong again.
  fileprivate var isAboutOneRecord: Bool {
    switch self {
    case is JSONSyntaxError, is JSONFaults, is IntakeFault: true
    case let error as PostgresError: error.isAboutData
    default: false
    }
  }
}
