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

  var segment: String { cursor.reader.name }
}

/// Decides what becomes of spooled events, as if they came in now, but as of the moment they did.
///
/// What a tenant's records have to wait for, only that tenant's records wait for. Tenants are told apart by the bytes of their
/// names.
final class SpoolAdmitter {
  /// How long compiled policies are taken to be the tenant's, in seconds.
  private static let policyLifetime = 5.0

  private let store: Store
  private var policies: [[UInt8]: (set: PolicySet, loadedAt: Double)] = [:]
  /// Until when senders could send events.
  private var senderEnds: [[UInt8]: Int] = [:]
  /// The tenants that have to wait until the next pass.
  private var waiting: Set<[UInt8]> = []
  /// Stretches that have no effects, of which the database does not know yet: they need not be read again.
  private var spent: [[UInt8]: (tenant: String, stretches: [String: SpoolStretch])] = [:]

  init(_ store: Store) { self.store = store }

  /// Begins a pass.
  func begin() {
    policies = [:]
    senderEnds = [:]
    waiting = []
    spent = [:]
  }

  /// Admits records of one tenant that came in at about the same time, and answers how many events have had their effects. Throws
  /// if the database is away; what else goes wrong is told, and either sets a record aside or leaves it for the next pass.
  func admit(_ records: [SpoolRecord]) throws -> Int {
    guard let tenant = records.first?.body.tenant else { return 0 }
    let key = Array(tenant.utf8)
    store.actor = Actor(.job, id: "replay", tenant: tenant)
    do {
      if waiting.contains(key) { throw Waiting() }
      return try admitTogether(records.filter { try isAllowed($0, tenant) }, of: tenant)
    } catch let error as PostgresError where error.isUnreachable {
      throw error
    } catch let error as SystemError {
      throw error
    } catch {
      if waiting.insert(key).inserted {
        Log.error("the spooled events of a tenant wait", ["tenant": tenant, "reason": "\(error)"])
      }
      records.forEach { $0.cursor.isDone = false }
      return 0
    }
  }

  /// Writes down how far what has no effects has been read.
  func markSpent() throws {
    for (tenant, stretches) in spent.values where !stretches.isEmpty {
      store.actor = Actor(.job, id: "replay", tenant: tenant)
      _ = try store.replay(tenant: tenant, MatchBatch(), receivedAt: 0, of: Array(stretches.values))
    }
    spent = [:]
  }

  /// Takes note that a segment is gone.
  func forget(segment: String) {
    for key in spent.keys { spent[key]?.stretches[segment] = nil }
  }

  /// Admits all of them or, if something is wrong with one, each on its own. So is what may have been admitted before.
  private func admitTogether(_ records: [SpoolRecord], of tenant: String) throws -> Int {
    guard let first = records.first else { return 0 }
    do {
      if records.count > 1, records.contains(where: { $0.body.attempt != nil }) {
        return try records.reduce(0) { try $0 + admitTogether([$1], of: tenant) }
      }
      let intake = try match(records, of: tenant)
      let stretches = stretches(of: records)
      if intake.matched == 0 {
        note(spent: stretches, of: tenant)
      } else {
        try write(intake.matches, of: tenant, as: first.body, stretches)
      }
      return records.reduce(0) { $0 + $1.body.events }
    } catch  where error.isAboutOneRecord {
      if records.count > 1 { return try records.reduce(0) { try $0 + admitTogether([$1], of: tenant) } }
      try first.cursor.setAside(first.range, because: "\(error)")
      return 0
    }
  }

  private func match(_ records: [SpoolRecord], of tenant: String) throws -> Intake {
    let policies = try policies(of: tenant, since: records[0].body.receivedAt)
    var intake = Intake { Identifier.make("alert-") }
    for record in records {
      var events = EventBatch(record.body.bytes, eventLimit: Intake.eventLimit)
      try intake.read(&events, isLines: record.body.isLines, by: policies)
    }
    return intake
  }

  private func write(
    _ batch: MatchBatch, of tenant: String, as body: SpooledBody, _ stretches: [SpoolStretch]
  ) throws {
    let attempt = try body.attempt.map { try AdmissionMark($0) }
    switch try store.replay(tenant: tenant, batch, receivedAt: body.receivedAt, of: stretches, after: attempt) {
    case .done:
      // A mark covers all that is before it.
      for stretch in stretches { spent[Array(tenant.utf8)]?.stretches[stretch.segment] = nil }
    case .admittedBefore: note(spent: stretches, of: tenant)
    case .overtaken: throw Overtaken()
    }
  }

  private func note(spent stretches: [SpoolStretch], of tenant: String) {
    let key = Array(tenant.utf8)
    var known = spent[key] ?? (tenant, [:])
    for stretch in stretches {
      let from = known.stretches[stretch.segment]?.from ?? stretch.from
      known.stretches[stretch.segment] = SpoolStretch(segment: stretch.segment, from: from, to: stretch.to)
    }
    spent[key] = known
  }

  /// Where the records lie, one stretch for each segment.
  private func stretches(of records: [SpoolRecord]) -> [SpoolStretch] {
    var stretches: [String: SpoolStretch] = [:]
    for record in records {
      let from = stretches[record.segment]?.from ?? record.range.lowerBound
      stretches[record.segment] = SpoolStretch(segment: record.segment, from: from, to: record.range.upperBound)
    }
    return Array(stretches.values)
  }

  /// Whether its sender could send events for the tenant when the record came in: a worker that could not ask has taken it.
  private func isAllowed(_ record: SpoolRecord, _ tenant: String) throws -> Bool {
    let body = record.body
    let key = Array("\(tenant) \(body.sender)".utf8)
    let end = try senderEnds[key] ?? ingestEnd(of: body.sender, tenant)
    senderEnds[key] = end
    if body.receivedAt < end { return true }
    try record.cursor.setAside(record.range, because: Self.reason(against: body.sender))
    return false
  }

  /// Until when a sender could send events for the tenant, in microseconds since 1970. A token was checked when it came.
  private func ingestEnd(of sender: SpooledBody.Sender, _ tenant: String) throws(PostgresError) -> Int {
    switch sender {
    case .key(let digest): try store.ingestEnd(ofKey: digest, tenant: tenant)
    case .token: try store.policyEpoch(tenant: tenant) == nil ? 0 : .max
    }
  }

  private static func reason(against sender: SpooledBody.Sender) -> String {
    switch sender {
    case .key: "its key had been revoked or had expired before it came in, or never the tenant's"
    case .token: "its token is for a tenant that there is none of"
    }
  }

  private func policies(of tenant: String, since moment: Int) throws -> PolicySet {
    let key = Array(tenant.utf8)
    if let known = policies[key], Clock.monotonic - known.loadedAt < Self.policyLifetime { return known.set }
    let set = try store.compiledPolicies(tenant: tenant, since: moment).set
    policies[key] = (set, Clock.monotonic)
    return set
  }
}

/// The tenant waits already.
private struct Waiting: Error {}

/// Somebody else has replayed records that this process was about to.
private struct Overtaken: Error, CustomStringConvertible {
  let description = "another process has replayed a part of them"
}

extension Error {
  /// Whether something is wrong with what a record has in it, so that it would go wrong again.
  fileprivate var isAboutOneRecord: Bool {
    switch self {
    case is JSONSyntaxError, is JSONFaults, is IntakeFault, is UnknownMark: true
    case let error as PostgresError: error.isAboutData
    default: false
    }
  }
}
