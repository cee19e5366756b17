import API
import Delivery
import FastCGI
import Host
import Matching
import Postgres
import Spool
import Store

/// Takes events in, matches them, and has what they matched admitted; or keeps them on the disk of the host while the database
/// is away.
final class Processor {
  private let policies = PolicyCache()
  private let folder: SpoolFolder?
  private let spool: SpoolWriter?
  private var marks = AdmissionMark.Series()

  /// Without a folder, what comes in while the database is away is refused.
  init(_ folder: SpoolFolder?) {
    self.folder = folder
    spool = folder.map(SpoolWriter.init)
  }

  /// Takes in the events of a call. That the database takes no writes is known only when they have been read and matched.
  func process(_ call: Call) throws -> Response {
    var body = try EventBody(call, copyingTo: folder)
    var attempt: AdmissionMark?
    do {
      return try admit(&body, of: call, attempt: &attempt)
    } catch PostgresError.unreachable(let reason) {
      marks.renew()
      return try keep(&body, of: call, attempt: attempt, because: .unreachable(reason: reason))
    }
  }

  /// Keeps the events of a call whose key is remembered, or whose token is good, for nobody can be asked about it now.
  func keep(_ call: Call, because error: PostgresError) throws -> Response {
    var body = try EventBody(call, copyingTo: nil)
    return try keep(&body, of: call, attempt: nil, because: error)
  }

  private func admit(_ body: inout EventBody, of call: Call, attempt: inout AdmissionMark?) throws -> Response {
    if let presumption = call.presumption, body.isSmall, let latest = policies.latest(of: call.tenant) {
      let proviso = AdmissionProviso(key: presumption.key, policyEpoch: latest.epoch)
      do {
        return try admit(&body, of: call, by: latest.set, attempt: &attempt, provided: proviso)
      } catch is Mistaken {}
    }
    let call = try call.confirmed()
    let policies = try policies.set(for: call.caller, in: call.store)
    return try admit(&body, of: call, by: policies, attempt: &attempt, provided: nil)
  }

  /// That the key or the policies were not what they were taken for.
  private struct Mistaken: Error {}

  /// Matches and admits the events; throws ``Mistaken``, with nothing done, where the proviso does not hold. Where something
  /// matched it is the admission that finds out, which spares a round trip to the database.
  private func admit(
    _ body: inout EventBody, of call: Call, by policies: PolicySet, attempt: inout AdmissionMark?,
    provided proviso: AdmissionProviso?
  ) throws -> Response {
    var intake = Intake { Identifier.make("alert-") }
    defer { release(&intake) }
    try body.read(into: &intake, by: policies)
    let admissions = try admissions(of: intake, of: call, attempt: &attempt, provided: proviso)
    var answer = Answer(intake: intake, admissions: admissions)
    answer.waitForDeliveries(call)
    return answer.response
  }

  private func admissions(
    of intake: Intake, of call: Call, attempt: inout AdmissionMark?, provided proviso: AdmissionProviso?
  ) throws -> [Admission] {
    if intake.matched == 0 {
      if let proviso, try call.confirmed().caller.policyEpoch != proviso.policyEpoch { throw Mistaken() }
      return []
    }
    let mark = marks.next()
    attempt = mark
    guard let proviso else { return try call.store.admit(tenant: call.tenant, intake.matches, leaving: [mark]) }
    let admissions = try call.store.admit(tenant: call.tenant, intake.matches, leaving: [mark], provided: proviso)
    guard let admissions else { throw Mistaken() }
    return admissions
  }

  private func keep(
    _ body: inout EventBody, of call: Call, attempt: AdmissionMark?, because error: PostgresError
  ) throws -> Response {
    guard let spool, let bytes = try body.keep() else { throw error }
    var intake = Intake { "" }
    try body.read(into: &intake, by: .empty)
    let events = intake.received - intake.rejectedCount
    if events == 0 { return Answer(intake: intake, admissions: []).response }
    let sender =
      call.caller.hasToken ? .token(bearer: call.caller.keyID) : SpooledBody.Sender.key(digest: try call.keyDigest())
    let kept = SpooledBody(
      tenant: call.tenant, sender: sender, receivedAt: Clock.microseconds, isLines: body.isLines, events: events,
      attempt: attempt?.text, bytes: bytes)
    do throws(SpoolFault) {
      return SpooledAnswer(id: try spool.append(kept), intake: intake).response
    } catch {
      throw problem(of: error)
    }
  }

  private func problem(of fault: SpoolFault) -> Problem {
    switch fault {
    case .full(let reason):
      Log.error("events are refused, for the spool is full", ["reason": reason])
      return .insufficientStorage
    case .failed(let error):
      Log.error("events are refused, for the spool cannot be written", ["error": "\(error)"])
      return .unavailable
    }
  }

  /// Matches of more bytes than this are given back to the system once they are done with.
  private static let largeSize = 8 << 20

  private func release(_ intake: inout Intake) {
    let isLarge = intake.matches.size > Self.largeSize
    intake = Intake { "" }
    if isLarge { Memory.returnUnused() }
  }
}
