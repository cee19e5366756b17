import Testing

@testable import Delivery

@Suite("The retry schedule") struct RetryScheduleTests {
  private let lifetime = RetrySchedule.lifetime

  private func wait(
    attempt: Int = 1, age: Int = 0, jitter: Double = 0.5, after: Int? = nil
  ) -> Int? {
    let outcome = RetrySchedule().outcome(
      of: .retry(after: after, reason: "r"), attempt: attempt, age: age, jitter: jitter)
    if case .waiting(let milliseconds, "r", nil) = outcome { return milliseconds }
    return nil
  }

  @Test(
    "The waits grow to four hours",
    arguments: zip(1...10, [5, 30, 120, 600, 1800, 3600, 7200, 14_400, 14_400, 14_400]))
  func steps(attempt: Int, seconds: Int) {
    #expect(wait(attempt: attempt) == seconds * 1000)
  }

  @Test("Jitter spreads a wait by a fifth in either direction")
  func jitter() {
    #expect(wait(attempt: 2, jitter: 0) == 24_000)
    #expect(wait(attempt: 2, jitter: 1) == 36_000)
  }

  @Test("A wait that the receiver asked for is never shortened, even when it is hours", arguments: [0, 0.5, 1])
  func askedFor(jitter: Double) throws {
    let hours = 9 * 3600
    let milliseconds = try #require(wait(jitter: jitter, after: hours))
    #expect((hours * 1000...hours * 1100).contains(milliseconds))
  }

  @Test("A receiver that asks for less than the schedule gets the schedule")
  func askedForLess() {
    #expect(wait(attempt: 3, after: 1) == 120_000)
  }

  @Test("The last attempt falls on the end of the third day, then the delivery is dead")
  func lifetimeEnds() {
    #expect(wait(attempt: 20, age: lifetime - 60) == 60_000)
    #expect(wait(after: .max) == lifetime * 1000)
    #expect(wait(age: lifetime) == nil)
    let outcome = RetrySchedule().outcome(of: .retry(after: nil, reason: "r"), attempt: 1, age: lifetime, jitter: 0)
    #expect(outcome == .dead(reason: "r"))
  }

  @Test("A receiver that stays down for three days gets about two dozen attempts")
  func attemptsInAll() {
    var age = 0
    var attempts = 1
    while let milliseconds = wait(attempt: attempts, age: age) {
      age += milliseconds / 1000
      attempts += 1
    }
    #expect(age == lifetime)
    #expect((20...30).contains(attempts))
  }

  @Test("What is decided needs no schedule")
  func decided() {
    let schedule = RetrySchedule(retryLimit: 0)
    #expect(schedule.outcome(of: .sent(remark: "m"), attempt: 9, age: lifetime, jitter: 0) == .sent(remark: "m"))
    #expect(schedule.outcome(of: .rejected(reason: "r"), attempt: 1, age: 0, jitter: 0) == .rejected(reason: "r"))
  }

  @Test("Only the recipients that remain are tried again")
  func remaining() {
    let verdict = Verdict.sentToSome(remaining: ["a@b.c"], reason: "r")
    let outcome = RetrySchedule().outcome(of: verdict, attempt: 1, age: 0, jitter: 0.5)
    #expect(outcome == .waiting(milliseconds: 5000, reason: "r", recipients: ["a@b.c"]))
  }
}
