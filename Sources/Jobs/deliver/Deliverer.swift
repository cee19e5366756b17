import Curl
import Delivery
import Host
import Postgres
import Store

/// Lease, transfer, verdict, settle, over and over, with many transfers under way at once.
///
/// The database's outages are waited out, and the receivers' are what the schedule is for: neither ends the run.
final class Deliverer {
  /// An attempt that is under way.
  struct Flight {
    let delivery: LeasedDelivery
    let provider: Provider
  }

  /// The most attempts under way at once.
  private static let flightLimit = 64
  /// A lease outlives the longest transfer and a while of waiting for the database to settle it.
  private static let leaseSeconds = Transfer.longestSeconds + 60
  /// How often to look for what is due when no bell rings: retries fall due silently.
  private static let secondsBetweenLooks = 1.0
  /// How long whoever asks the process to end lets it finish what it has begun.
  private static let secondsToFinish = 45.0

  private let outbox: Store
  private let queue: TransferQueue<Flight>
  private let pagerDutyURL: String?
  private var bell = Bell()
  private var outage = Outage()
  private var unsettled: [Settlement] = []
  private var nextLook = 0.0

  init(outbox: Store, queue: TransferQueue<Flight>, pagerDutyURL: String?) {
    self.outbox = outbox
    self.queue = queue
    self.pagerDutyURL = pagerDutyURL
  }

  /// Works for a time, without end if it is nil, or until asked to end; then finishes what is under way.
  func run(for seconds: Double?, until termination: Termination) throws(QueueFailure) {
    let end = seconds.map { Clock.monotonic + $0 } ?? .infinity
    while !termination.isRequested && Clock.monotonic < end {
      if !outage.isOn { bell.hang(in: outbox) }
      lease()
      let ended = try wait(until: end)
      judge(ended)
      settle()
    }
    try finish(until: termination)
  }

  /// Takes as many of the deliveries that are due as there is room for.
  private func lease() {
    let room = Self.flightLimit - queue.count - unsettled.count
    guard room > 0, Clock.monotonic >= nextLook else { return }
    let leased = asking { () throws(PostgresError) in
      try outbox.leaseDeliveries(limit: room, seconds: Self.leaseSeconds)
    }
    guard let leased else { return }
    leased.forEach(begin)
    // Where the room was filled there may be more.
    if leased.count < room { nextLook = Clock.monotonic + Self.secondsBetweenLooks }
  }

  private func begin(_ delivery: LeasedDelivery) {
    switch delivery.provider {
    case .success(let provider):
      let attempt = Attempt(deliveryID: delivery.id, time: Clock.now, recipients: delivery.recipients)
      let transfer = provider.transfer(for: delivery.notice, attempt: attempt, pagerDutyURL: pagerDutyURL)
      queue.add(transfer, tag: Flight(delivery: delivery, provider: provider))
    case .failure(let faults):
      let places = faults.faults.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
      note(delivery, .rejected(reason: "the provider's settings are not valid: \(places)"), status: nil)
    }
  }

  /// Carries the transfers on until one has ended, the bell rings or it is time to look again.
  private func wait(until end: Double) throws(QueueFailure) -> [(tag: Flight, reply: Reply)] {
    let isFull = queue.count + unsettled.count >= Self.flightLimit
    let next = isFull ? Clock.monotonic + Self.secondsBetweenLooks : max(nextLook, outage.retryAt)
    let seconds = max(0, min(next, end) - Clock.monotonic)
    let ended = try queue.wait(seconds: min(seconds, Self.secondsBetweenLooks), orReadable: bell.descriptors)
    if bell.hasRung() { nextLook = 0 }
    return ended
  }

  private func judge(_ ended: [(tag: Flight, reply: Reply)]) {
    for (flight, reply) in ended {
      let verdict = flight.provider.verdict(on: reply, receivedAt: Clock.now)
      let outcome = flight.delivery.outcome(of: verdict, from: flight.provider, jitter: .random(in: 0...1))
      note(flight.delivery, outcome, status: reply.status)
    }
  }

  /// Takes down what has become of an attempt; an operator hears of failures.
  private func note(_ delivery: LeasedDelivery, _ outcome: Outcome, status: Int?) {
    unsettled.append(delivery.settled(outcome, status: status))
    guard let failure = outcome.failure else { return }
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
    let settled = asking { () throws(PostgresError) in try outbox.settleDeliveries(unsettled) }
    guard let settled else { return }
    if settled < unsettled.count {
      Log.warning("leases had ended before their attempts", ["attempts": String(unsettled.count - settled)])
    }
    unsettled = []
  }

  /// Waits for the transfers that are under way, but after a request to end no longer than whoever asked will.
  private func finish(until termination: Termination) throws(QueueFailure) {
    var deadline = Clock.monotonic + Double(Self.leaseSeconds)
    while queue.count + unsettled.count > 0 {
      if termination.isRequested { deadline = min(deadline, Clock.monotonic + Self.secondsToFinish) }
      guard Clock.monotonic < deadline else {
        let count = String(queue.count + unsettled.count)
        return Log.warning("attempts are left unfinished, to be made again", ["attempts": count])
      }
      judge(try queue.wait(seconds: min(Self.secondsBetweenLooks, deadline - Clock.monotonic)))
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
    case .sent: nil
    case .waiting(_, let reason, _): ("an attempt failed and will be made again", reason)
    case .rejected(let reason): ("a delivery was refused for good", reason)
    case .dead(let reason): ("a delivery was given up", reason)
    }
  }
}
