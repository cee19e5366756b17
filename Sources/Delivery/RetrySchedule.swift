/// When a delivery is tried again: after 5 s, 30 s, 2 min, 10 min, 30 min, 1 h, 2 h, then every 4 h until three days are over.
package struct RetrySchedule: Sendable {
  /// How long a delivery is tried, in seconds from when it was written.
  package static let lifetime = 3 * 86_400

  private static let steps = [5, 30, 120, 600, 1800, 3600, 7200, 14_400]

  /// The most attempts after the first one; nil for as many as fit in the lifetime.
  package let retryLimit: Int?

  /// A schedule with or without a limit of its own.
  package init(retryLimit: Int? = nil) { self.retryLimit = retryLimit }

  /// What becomes of a delivery.
  ///
  /// - Parameters:
  ///   - verdict: What the reply of the attempt means.
  ///   - attempt: The number of the attempt, from 1.
  ///   - age: The seconds since the delivery was written, or last tried afresh.
  ///   - jitter: A random number from 0 to 1, so that deliveries that failed together do not come back together.
  /// - Returns: Its end, or how long it waits.
  package func outcome(of verdict: Verdict, attempt: Int, age: Int, jitter: Double) -> Outcome {
    switch verdict {
    case .sent(let remark):
      .sent(remark: remark)
    case .rejected(let reason):
      .rejected(reason: reason)
    case .gone(let reason):
      .gone(reason: reason)
    case .retry(let after, let reason):
      next(attempt: attempt, age: age, jitter: jitter, atLeast: after ?? 0, reason: reason, recipients: nil)
    case .sentToSome(let remaining, let reason):
      next(attempt: attempt, age: age, jitter: jitter, atLeast: 0, reason: reason, recipients: remaining)
    }
  }

  /// The last attempt of all falls on the end of the lifetime, even where the receiver asked for a longer wait.
  private func next(
    attempt: Int, age: Int, jitter: Double, atLeast seconds: Int, reason: String, recipients: [String]?
  ) -> Outcome {
    let isOver = age >= Self.lifetime || retryLimit.map { attempt > $0 } ?? false
    guard !isOver else { return .dead(reason: reason) }
    let left = (Self.lifetime - age) * 1000
    let asked = Self.stretched(min(seconds, Self.lifetime), jitter)
    let wait = min(max(asked, Self.wait(afterAttempt: attempt, jitter: jitter)), left)
    return .waiting(milliseconds: wait, reason: reason, recipients: recipients)
  }

  /// The wait in milliseconds after an attempt (from 1) where the receiver asked for none: a step of the schedule ± 20 %.
  package static func wait(afterAttempt attempt: Int, jitter: Double) -> Int {
    let step = steps[min(max(attempt, 1), steps.count) - 1]
    return Int(Double(step) * 1000 * (0.8 + 0.4 * jitter))
  }

  /// A wait that was asked for, in milliseconds, never shortened and up to a tenth longer.
  private static func stretched(_ seconds: Int, _ jitter: Double) -> Int {
    Int(Double(seconds) * 1000 * (1 + 0.1 * jitter))
  }
}

/// What an attempt leaves a delivery as.
package enum Outcome: Sendable, Equatable {
  /// Done.
  case sent(remark: String?)
  /// To be tried again after a number of milliseconds, for some recipients only where they are named.
  case waiting(milliseconds: Int, reason: String, recipients: [String]?)
  /// The receiver will never take it.
  case rejected(reason: String)
  /// The receiver will never take anything again.
  case gone(reason: String)
  /// The time or the number of attempts is used up.
  case dead(reason: String)
  /// Nothing was tried: what it tells of never got to the receiver.
  case skipped(reason: String)
}
