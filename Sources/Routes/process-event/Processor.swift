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
  /// For each place in an admission of several: while that waits, others are on, and leave greater marks than it has.
  private var jointMarks: [AdmissionMark.Series] = []
  private var joint: JointAdmission?

  /// Without a folder, what comes in while the database is away is refused.
  init(_ folder: SpoolFolder?) {
    self.folder = folder
    spool = folder.map(SpoolWriter.init)
  }

  /// Takes in the events of a call. That the database takes no writes is known only when they have been read and matched.
  ///
  /// Who calls, and what the policies are, is presumed where that was looked up just before: then it is the admission that finds
  /// out, which spares a round trip to the database, and those that wait are admitted together.
  func process(_ call: Call) throws -> EventualResponse {
    var body = try EventBody(call, copyingTo: folder)
    guard let presumption = call.presumption, body.isSmall, let latest = policies.latest(of: call.tenant) else {
      return .now(Result { try admit(body, of: call) })
    }
    var intake = Intake { Identifier.make("alert-") }
    try body.read(into: &intake, by: latest.set)
    let proviso = AdmissionProviso(key: presumption.key, policyEpoch: latest.epoch)
    let isLight = call.request.isQuick && intake.matches.size <= Self.lightSize
    let joint = jointAdmission(tenant: call.tenant, provided: proviso, withOthers: isLight)
    let place = joint.add(intake.matches, leaving: isLight ? nextJointMark(at: joint.count) : marks.next())
    if isLight { return .later { [self, intake] in settle(joint, place, intake, body, of: call) } }
    defer { release(&intake) }
    return .now(settle(joint, place, intake, body, of: call))
  }

  /// Keeps the events of a call whose key is remembered, or whose token is good, for nobody can be asked about it now.
  func keep(_ call: Call, because error: PostgresError) throws -> Response {
    try keep(EventBody(call, copyingTo: nil), of: call, attempt: nil, because: error)
  }

  /// Matches of more bytes than this are not admitted together with others.
  private static let lightSize = 1 << 16

  /// An admission to take part in: the one that others wait for, if they may have company.
  private func jointAdmission(
    tenant: String, provided proviso: AdmissionProviso, withOthers: Bool
  ) -> JointAdmission {
    if withOthers, let joint, joint.isOpen(to: tenant, provided: proviso) { return joint }
    let joint = JointAdmission(tenant: tenant, provided: proviso)
    if withOthers { self.joint = joint }
    return joint
  }

  private func nextJointMark(at place: Int) -> AdmissionMark {
    if jointMarks.count == place { jointMarks.append(AdmissionMark.Series()) }
    return jointMarks[place].next()
  }

  /// Has no mark written over that was to be left by an admission whose answer was lost.
  private func renewMarks() {
    marks.renew()
    jointMarks = []
  }

  /// The answer to a call by what became of its matches. Where its key or its policies were not what they were taken for, nothing has.
  private func settle(
    _ joint: JointAdmission, _ place: Int, _ intake: Intake, _ body: EventBody, of call: Call
  ) -> Result<Response, any Error> {
    do throws(PostgresError) {
      guard let admissions = try joint.admissions(at: place, in: call.store) else {
        return Result { try admit(body, of: call) }
      }
      return .success(answer(call, intake, admissions))
    } catch {
      guard error.isUnreachable else { return .failure(error) }
      renewMarks()
      return Result { try keep(body, of: call, attempt: joint.mark(at: place), because: error) }
    }
  }

  /// Matches and admits the events by what the database says of the caller and the policies now.
  private func admit(_ body: EventBody, of call: Call) throws -> Response {
    var body = body
    var attempt: AdmissionMark?
    do {
      let call = try call.confirmed()
      var intake = Intake { Identifier.make("alert-") }
      defer { release(&intake) }
      try body.read(into: &intake, by: try policies.set(for: call.caller, in: call.store))
      if intake.matched == 0 { return answer(call, intake, []) }
      let mark = marks.next()
      attempt = mark
      return answer(call, intake, try call.store.admit(tenant: call.tenant, intake.matches, leaving: [mark]))
    } catch let error as PostgresError where error.isUnreachable {
      renewMarks()
      return try keep(body, of: call, attempt: attempt, because: error)
    }
  }

  private func answer(_ call: Call, _ intake: Intake, _ admissions: [Admission]) -> Response {
    var answer = Answer(intake: intake, admissions: admissions)
    answer.waitForDeliveries(call)
    return answer.response
  }

  private func keep(
    _ body: EventBody, of call: Call, attempt: AdmissionMark?, because error: PostgresError
  ) throws -> Response {
    var body = body
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
