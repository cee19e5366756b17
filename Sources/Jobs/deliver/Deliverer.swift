import Curl
import Delivery
import Host
import Postgres
import Store

/// Look, lease, transfer, verdict, settle, over and over, with many transfers under way at once.
///
/// The database's outages are waited out, and the receivers' are what the schedule is for: neither ends the run.
final class Deliverer {
  /// An attempt that is under way.
  struct Flight {
    let delivery: LeasedDelivery
    let provider: Provider
    let startedAt: Double
    /// Whether what it sends is plainer than usual, because the receiver refused that.
    var isPlain = false
  }

  /// A transfer that waits for its turn by the pace of its provider.
  private struct HeldTransfer {
    let transfer: Transfer
    let flight: Flight
    let turn: Double
  }

  /// The most attempts under way at once. A process may have 1,024 files open where nobody has raised that.
  private static let flightLimit = 512
  /// How many providers to look at in one go, about 8 µs each (measured).
  private static let providersPerLook = 500
  /// How often to look for what is due when no bell rings: retries fall due silently.
  private static let secondsBetweenLooks = 1.0
  /// How often to give up what has waited too long for receivers that are down.
  private static let secondsBetweenExpiries = 60.0
  /// How often to look for what has ended and is to be told.
  private static let secondsBetweenEnds = 1.0
  /// How many digests to write in one go.
  private static let digestLimit = 100
  /// How often to say that the job runs; it is missed after three minutes.
  private static let secondsBetweenRunNotes = 20.0
  /// When to try again what the database has refused.
  private static let secondsAfterRefusal = 60.0
  /// How often refused calls are counted: what is counted is minutes.
  private static let secondsBetweenCounts = 20.0
  /// How many deliveries may be given up or skipped in one statement.
  private static let upkeepLimit = 1000
  /// How long a transfer may wait for its turn: with it and the transfer before it within the lease.
  private static let secondsToTurn = 30
  /// How long whoever asks the process to end lets it finish what it has begun.
  private static let secondsToFinish = 45.0

  private let outbox: Store
  private let leasing: Leasing
  private let queue: TransferQueue<Flight>
  private let pagerDutyURL: String?
  private var bell = Bell()
  private var outage = Outage()
  private var sweep: Sweep
  private var agenda = Agenda(places: flightLimit)
  private var held: [HeldTransfer] = []
  private var unsettled: [Settlement] = []
  /// Whether there may be more where the last lease came from.
  private var hasLeased = false
  private var nextLook = 0.0
  private var nextExpiry = 0.0
  private var nextEnd = 0.0
  private var nextRunNote = 0.0
  private var nextCount = 0.0
  /// The provider that the last look ended with; nil where it got to the last of all.
  private var lastLookedAt: ProviderKey?

  init(outbox: Store, queue: TransferQueue<Flight>, pagerDutyURL: String?, retention: Retention) {
    self.outbox = outbox
    self.queue = queue
    self.pagerDutyURL = pagerDutyURL
    leasing = Leasing(outbox: outbox)
    sweep = Sweep(retention)
  }

  /// Works for a time, without end if it is nil, or until asked to end; then finishes what is under way.
  func run(for seconds: Double?, until termination: Termination) throws(QueueFailure) {
    let end = seconds.map { Clock.monotonic + $0 } ?? .infinity
    while !termination.isRequested && Clock.monotonic < end {
      if !outage.isOn { bell.hang(in: outbox) }
      tellEnds()
      noteRun()
      countRefusals()
      // In an outage a lease may end whose attempt has ended too, and which is not to be made again.
      if unsettled.isEmpty {
        look()
        lease()
      }
      let ended = try wait(until: end)
      judge(ended)
      settle()
      removeOld()
    }
    try finish(until: termination)
  }

  /// Lets those know who would miss the job.
  private func noteRun() {
    tend(&nextRunNote, every: Self.secondsBetweenRunNotes) { () throws(PostgresError) in
      try outbox.noteRun(of: "deliver", on: Machine.name)
    }
  }

  /// Has the audit log tell how many calls were refused beside those that it has told of.
  private func countRefusals() {
    tend(&nextCount, every: Self.secondsBetweenCounts) { () throws(PostgresError) in _ = try outbox.foldRefusals() }
  }

  /// How many more attempts may begin.
  private var free: Int { max(0, Self.flightLimit - queue.count - held.count - unsettled.count) }

  /// Writes what is to be told of digests' windows and of outages that have ended; it is delivered like everything else.
  private func tellEnds() {
    var ended = 0
    tend(&nextEnd, every: Self.secondsBetweenEnds) { () throws(PostgresError) in
      ended = try outbox.closeDigests(limit: Self.digestLimit) + outbox.resolveReports()
    }
    if ended > 0 { (nextEnd, nextLook) = (0, 0) }
  }

  /// Does from time to time what deliveries do not wait for: where the database refuses it, they go on without, and a failure has it
  /// come after them the next time.
  private func tend(_ next: inout Double, every seconds: Double, _ task: () throws(PostgresError) -> Void) {
    guard Clock.monotonic >= max(next, outage.retryAt) else { return }
    next = Clock.monotonic + seconds
    let isRefused = asking { () throws(PostgresError) -> Bool in
      do throws(PostgresError) {
        try task()
        return false
      } catch  where error.refusal != nil {
        Log.error("deliveries go on without what the database refuses", ["error": "\(error)"])
        return true
      }
    }
    if isRefused == true { next = Clock.monotonic + Self.secondsAfterRefusal }
  }

  /// Finds out for which providers something is due.
  private func look() {
    guard free > 0, Clock.monotonic >= nextLook else { return }
    let waiting = asking { () throws(PostgresError) in
      try outbox.dueProviders(after: lastLookedAt, limit: Self.providersPerLook)
    }
    guard let waiting else { return }
    lastLookedAt = waiting.count < Self.providersPerLook ? nil : waiting.last?.key
    if lastLookedAt == nil { nextLook = Clock.monotonic + Self.secondsBetweenLooks }
    agenda.add(waiting.filter(\.isDue).map(\.key))
    clear(waiting.filter { $0.isDue && !$0.isEnabled }.map(\.key))
  }

  /// Ends what nobody is to get any more.
  private func clear(_ providers: [ProviderKey]) {
    if !providers.isEmpty {
      let skipped = asking { () throws(PostgresError) in
        try outbox.skipDeliveries(of: providers, limit: Self.upkeepLimit)
      }
      if let skipped, skipped >= Self.upkeepLimit { nextLook = 0 }
    }
    guard Clock.monotonic >= nextExpiry else { return }
    let expired = asking { () throws(PostgresError) in try outbox.expireDeliveries(limit: Self.upkeepLimit) }
    guard let expired else { return }
    nextExpiry = Clock.monotonic + (expired < Self.upkeepLimit ? Self.secondsBetweenExpiries : 0)
    if expired > 0 { Log.warning("deliveries were given up", ["deliveries": String(expired)]) }
  }

  /// Removes what has been kept for long enough, a little at a time.
  private func removeOld() {
    _ = asking { () throws(PostgresError) in try sweep.step(in: outbox) }
  }

  /// Takes as many of the deliveries that are due as there is room for.
  private func lease() {
    hasLeased = false
    guard Clock.monotonic >= outage.retryAt else { return }
    let rooms = agenda.rooms(free: free)
    guard !rooms.isEmpty else { return }
    var leased: [LeasedDelivery] = []
    let isDone: Void? = asking { () throws(PostgresError) in try leasing.lease(rooms, into: &leased) }
    agenda.took(leased, for: isDone == nil ? [] : rooms)
    leased.forEach(begin)
    hasLeased = !leased.isEmpty || isDone == nil
  }

  private func begin(_ delivery: LeasedDelivery) {
    let now = Clock.monotonic
    if let reason = delivery.skipReason {
      return note(delivery.settled(.skipped(reason: reason), startedAt: now, endedAt: now), of: delivery)
    }
    switch delivery.provider {
    case .success(let provider):
      let attempt = Attempt(deliveryID: delivery.id, time: Clock.now, recipients: delivery.recipients)
      let transfer = provider.transfer(for: delivery.notice, attempt: attempt, pagerDutyURL: pagerDutyURL)
      queue.add(transfer, tag: Flight(delivery: delivery, provider: provider, startedAt: now))
    case .failure(.sealed(let fault)):
      let outcome = delivery.outcome(ofWaitingFor: "\(fault)", jitter: .random(in: 0...1))
      note(delivery.settled(outcome, startedAt: now, endedAt: now), of: delivery)
    case .failure(.invalid(let faults)):
      let places = faults.faults.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
      let outcome = Outcome.rejected(reason: "the provider's settings are not valid: \(places)")
      note(delivery.settled(outcome, startedAt: now, endedAt: now), of: delivery)
    }
  }

  /// Carries the transfers on until one has ended, the bell rings or it is time to look again.
  private func wait(until end: Double) throws(QueueFailure) -> [(tag: Flight, reply: Reply)] {
    let turn = release()
    let now = Clock.monotonic
    let next = hasLeased || !unsettled.isEmpty ? now : free > 0 ? nextLook : .infinity
    let seconds = max(0, min(max(next, outage.retryAt), turn, end) - now)
    let ended = try queue.wait(seconds: min(seconds, Self.secondsBetweenLooks), orReadable: bell.descriptors)
    if bell.hasRung() { nextLook = 0 }
    return ended
  }

  private func judge(_ ended: [(tag: Flight, reply: Reply)]) {
    for (flight, reply) in ended {
      let plainer = flight.isPlain ? nil : flight.provider.plainerTransfer(for: flight.delivery.notice, after: reply)
      if let plainer, hold(plainer, flight) { continue }
      let now = Clock.now
      var verdict = flight.provider.verdict(on: reply, receivedAt: now)
      if plainer != nil, case .rejected(let reason) = verdict { verdict = .retry(after: nil, reason: reason) }
      if flight.isPlain, verdict == .sent(remark: nil) { verdict = .sent(remark: "taken as plain text alone") }
      let outcome = flight.delivery.outcome(of: verdict, from: flight.provider, jitter: .random(in: 0...1))
      let settlement = flight.delivery.settled(
        outcome, startedAt: flight.startedAt, endedAt: Clock.monotonic,
        receiver: verdict.hasArrived ? .sent : reply.receiver,
        status: reply.status, answer: flight.provider.answer(in: reply),
        pauseSeconds: flight.provider.pauseSeconds(after: reply, verdict, receivedAt: now))
      note(settlement, of: flight.delivery)
    }
  }

  /// Has what is plainer sent in the same attempt, when the pace lets it; false if that is too late, or nobody knows.
  private func hold(_ plainer: Transfer, _ flight: Flight) -> Bool {
    let turn = asking { () throws(PostgresError) in
      try outbox.reserveTurn(of: flight.delivery.providerKey, flight.provider.type, within: Self.secondsToTurn)
    }
    guard let turn, let seconds = turn else { return false }
    var flight = flight
    flight.isPlain = true
    held.append(HeldTransfer(transfer: plainer, flight: flight, turn: Clock.monotonic + seconds))
    return true
  }

  /// Begins the transfers whose turn has come; tells when the next one's does.
  private func release() -> Double {
    let now = Clock.monotonic
    for item in held where item.turn <= now { queue.add(item.transfer, tag: item.flight) }
    held.removeAll { $0.turn <= now }
    return held.map(\.turn).min() ?? .infinity
  }

  /// Takes down what has become of an attempt; an operator hears of failures.
  private func note(_ settlement: Settlement, of delivery: LeasedDelivery) {
    unsettled.append(settlement)
    agenda.end(delivery.providerKey, settlement.receiver)
    guard let failure = settlement.outcome.failure else { return }
    Log.warning(
      failure.sentence,
      [
        "tenant": delivery.tenant, "provider": delivery.providerID, "alert": delivery.notice.alertID,
        "attempt": String(delivery.attempt), "reason": failure.reason,
      ])
  }

  /// Writes down what has become of the attempts, all at once; what cannot be written now is kept for later.
  private func settle() {
    guard !unsettled.isEmpty else { return }
    let settled = asking { () throws(PostgresError) in try leasing.settle(unsettled) }
    guard let settled else { return }
    if settled < unsettled.count {
      Log.warning("leases had ended before their attempts", ["attempts": String(unsettled.count - settled)])
    }
    unsettled = []
  }

  /// Waits for the transfers that are under way, but after a request to end no longer than whoever asked will.
  private func finish(until termination: Termination) throws(QueueFailure) {
    var deadline = Clock.monotonic + Double(Leasing.seconds)
    while queue.count + held.count + unsettled.count > 0 {
      if termination.isRequested { deadline = min(deadline, Clock.monotonic + Self.secondsToFinish) }
      guard Clock.monotonic < deadline else {
        let count = String(queue.count + held.count + unsettled.count)
        return Log.warning("attempts are left unfinished, to be made again", ["attempts": count])
      }
      let next = min(release(), deadline)
      judge(try queue.wait(seconds: min(Self.secondsBetweenLooks, next - Clock.monotonic)))
      settle()
    }
  }

  /// Asks something of the database; nil while it is away.
  private func asking<Answer>(_ question: () throws(PostgresError) -> Answer) -> Answer? {
    guard Clock.monotonic >= outage.retryAt else { return nil }
    do {
      let answer = try question()
      outage.end()
      return answer
    } catch {
      outage.note(error)
      return nil
    }
  }
}

extension Outcome {
  /// What an operator is told of an attempt that failed.
  fileprivate var failure: (sentence: String, reason: String)? {
    switch self {
    case .sent, .skipped: nil
    case .waiting(_, let reason, _): ("an attempt failed and will be made again", reason)
    case .rejected(let reason): ("a delivery was refused for good", reason)
    case .gone(let reason): ("a receiver is gone, and its provider is switched off", reason)
    case .dead(let reason): ("a delivery was given up", reason)
    }
  }
}

extension Verdict {
  /// Whether the receiver took the delivery, if only for some recipients.
  fileprivate var hasArrived: Bool {
    switch self {
    case .sent, .sentToSome: true
    case .retry, .rejected, .gone: false
    }
  }
}
