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
  private var marks = AdmissionMark.Supply()
  /// The admission that calls in hand wait for.
  private var joint: JointAdmission?

  /// Without a folder, what comes in while the database is away is refused.
  init(_ folder: SpoolFolder?) {
    self.folder = folder
    spool = folder.map(SpoolWriter.init)
  }

  /// Takes in the events of a call. That the database takes no writes is known only when they have been read and matched.
  ///
  /// Who calls, and what the policies are, is presumed where that was looked up just before: then it is the admission that finds
  /// out, which spares a round trip to the database, and small calls that wait are admitted together.
  func process(_ call: Call) throws -> EventualResponse {
    var body = try EventBody(call, copyingTo: folder)
    guard let presumption = call.presumption, body.isSmall, let latest = policies.latest(of: call.tenant) else {
      return .alone { [self, body] in Result { try admit(body, of: call) } }
    }
    let proviso = AdmissionProviso(key: presumption.key, policyEpoch: latest.epoch)
    if call.request.isQuick {
      let intake = try match(&body, by: latest.set)
      if intake.matches.size <= Self.lightSize { return join(intake, body, of: call, provided: proviso) }
    }
    return .alone { [self, body] in Result { try admit(body, of: call, by: latest.set, provided: proviso) } }
  }

  /// Keeps the events of a call whose key is remembered, or whose token is good, for nobody can be asked about it now.
  func keep(_ call: Call, because error: PostgresError) throws -> Response {
    try keep(EventBody(call, copyingTo: nil), of: call, attempt: nil, because: error)
  }

  /// Matches of more bytes than this are not admitted together with others.
  private static let lightSize = 1 << 16

  /// Has a call take part in the admission that others wait for.
  private func join(
    _ intake: Intake, _ body: EventBody, of call: Call, provided proviso: AdmissionProviso
  ) -> EventualResponse {
    let joint = jointAdmission(tenant: call.tenant, provided: proviso)
    let number = joint.add(intake.matches)
    return .together { [self] in
      self.joint = nil
      return Result { try answer(call, intake, body, joint, number) ?? admit(body, of: call) }
    }
  }

  private func jointAdmission(tenant: String, provided proviso: AdmissionProviso) -> JointAdmission {
    if let joint, joint.tenant.utf8.elementsEqual(tenant.utf8), joint.proviso == proviso { return joint }
    let joint = JointAdmission(tenant: tenant, provided: proviso)
    self.joint = joint
    return joint
  }

  /// Matches and admits the events of a call by itself, by policies that are presumed.
  private func admit(
    _ body: EventBody, of call: Call, by policies: PolicySet, provided proviso: AdmissionProviso
  ) throws -> Response {
    var body = body
    func admitPresuming() throws -> Response? {
      var intake = try match(&body, by: policies)
      defer { release(&intake) }
      let joint = JointAdmission(tenant: call.tenant, provided: proviso)
      return try answer(call, intake, body, joint, joint.add(intake.matches))
    }
    return try admitPresuming() ?? admit(body, of: call)
  }

  /// The answer to a call by what became of its matches; nil where its key or the policies were not what they were taken for, and
  /// nothing has become of them.
  private func answer(
    _ call: Call, _ intake: Intake, _ body: EventBody, _ joint: JointAdmission, _ number: Int
  ) throws -> Response? {
    let outcome = joint.outcome(of: number, in: call.store, marks: &marks)
    do throws(PostgresError) {
      return try outcome.admissions.get().map { answer(call, intake, $0) }
    } catch {
      guard error.isUnreachable else { throw error }
      return try keep(body, of: call, attempt: outcome.attempt, because: error)
    }
  }

  /// Matches and admits the events of a call by what the database says of its caller and the policies now.
  private func admit(_ body: EventBody, of call: Call) throws -> Response {
    var body = body
    var attempt: AdmissionMark?
    do {
      let call = try call.confirmed()
      var intake = try match(&body, by: try policies.set(for: call.caller, in: call.store))
      defer { release(&intake) }
      if intake.matched == 0 { return answer(call, intake, []) }
      let mark = marks.next(1)
      attempt = mark[0]
      return answer(call, intake, try call.store.admit(tenant: call.tenant, intake.matches, leaving: mark))
    } catch let error as PostgresError where error.isUnreachable {
      marks.renew()
      return try keep(body, of: call, attempt: attempt, because: error)
    }
  }

  private func match(_ body: inout EventBody, by policies: PolicySet) throws -> Intake {
    var intake = Intake { Identifier.make("alert-") }
    do {
      try body.read(into: &intake, by: policies)
    } catch {
      release(&intake)
      throw error
    }
    return intake
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
