import JSON
import Testing

@testable import StorageWatch

@Suite("Outages of the storage") struct StorageWatchTests {
  @Test("An alert is made once the failures have lasted for the threshold, and not before")
  func threshold() {
    var storage = Storage()
    #expect(storage.fail(seconds: 25).isEmpty)
    storage.now += 5
    let alert = storage.probe(.failed("timeout"))
    #expect(
      alert?.event
        == .unreachable(
          StorageUnreachable(
            firstFailureAt: 1_800_000_000, consecutiveFailures: 7, durationSeconds: 30, lastError: "timeout",
            serviceName: "tocsin")))
  }

  @Test("One probe that succeeds breaks the failures")
  func unbroken() {
    var storage = Storage()
    for _ in 0..<10 {
      #expect(storage.fail(seconds: 25).isEmpty)
      storage.now += 5
      #expect(storage.probe(.usable) == nil)
    }
  }

  @Test("An outage that lasts is alerted again when the cool-down is over")
  func cooldown() {
    var storage = Storage()
    let alerts = storage.fail(seconds: 1000)
    #expect(alerts.map(\.madeAt) == [30, 330, 630, 930].map { 1_800_000_000 + $0 })
    #expect(alerts.map(\.id) == (1...4).map { "outage-1-alert-\($0)" })
  }

  @Test("That events are refused for want of room is told at once, once in an outage, and recovered from like the rest")
  func refusal() throws {
    var storage = Storage()
    #expect(storage.fail(seconds: 5).isEmpty)
    storage.now += 5
    let alert = storage.probe(.failed("no server"), isRefusing: true)
    guard case .unreachable(let event)? = alert?.event else { throw JSONFaults("no alert") }
    #expect(event.lastError == "events are refused, for there is no room left to keep them: no server")
    #expect(event.durationSeconds == 10)
    try storage.restart()
    storage.now += 5
    #expect(storage.probe(.failed("no server"), isRefusing: true) == nil)
    #expect(storage.fail(seconds: 290).isEmpty)
    #expect(storage.fail(seconds: 10).count == 1)
    storage.now += 5
    #expect(storage.probe(.usable) != nil)
    storage.now += 5
    #expect(storage.probe(.failed("no server"), isRefusing: true) != nil)
  }

  @Test("The end of an alerted outage is told once, and says how long it was")
  func recovery() {
    var storage = Storage()
    _ = storage.fail(seconds: 700)
    storage.now += 5
    #expect(
      storage.probe(.usable)?.event
        == .recovered(
          StorageRecovered(
            outageStartedAt: 1_800_000_000, recoveredAt: 1_800_000_705, durationSeconds: 705, eventsAffected: 7,
            serviceName: "tocsin")))
    #expect(storage.probe(.usable) == nil)
  }

  @Test("A second outage inside the cool-down is alerted and recovered from like the first")
  func secondOutage() {
    var storage = Storage()
    for _ in 0..<2 {
      #expect(storage.fail(seconds: 40).count == 1)
      storage.now += 5
      #expect(storage.probe(.usable) != nil)
      storage.now += 5
    }
  }

  @Test("Recoveries can be switched off")
  func noRecovery() {
    var storage = Storage(notifiesRecovery: false)
    #expect(storage.fail(seconds: 40).count == 1)
    #expect(storage.probe(.usable) == nil)
    #expect(storage.fail(seconds: 40).count == 1)
  }

  @Test("A clock that is set back delays no alert, and durations stay")
  func clockSetBack() throws {
    var storage = Storage()
    _ = storage.fail(seconds: 20)
    storage.now -= 1_800_000_000
    #expect(storage.fail(seconds: 5).isEmpty)
    #expect(storage.fail(seconds: 5).count == 1)
    try storage.restart()
    storage.now += 5
    guard case .recovered(let recovered)? = storage.probe(.usable)?.event else {
      Issue.record("no recovery")
      return
    }
    #expect(recovered.durationSeconds == 35)
  }

  @Test("The events have the very form that receivers were written for")
  func form() {
    let unreachable = StorageEvent.unreachable(
      StorageUnreachable(
        firstFailureAt: 1_778_148_000, consecutiveFailures: 7, durationSeconds: 30, lastError: "a \"b\"",
        serviceName: "tocsin"))
    #expect(
      String(decoding: unreachable.json, as: UTF8.self)
        == #"{"StorageUnreachable":{"first_failure_at":"2026-05-07T10:00:00Z","consecutive_failures":7,"#
        + #""unreachable_duration_secs":30,"last_error":"a \"b\"","service_name":"tocsin"}}"#)
    let recovered = StorageEvent.recovered(
      StorageRecovered(
        outageStartedAt: 1_778_148_000, recoveredAt: 1_778_148_060, durationSeconds: 60, eventsAffected: 12,
        serviceName: "tocsin"))
    #expect(
      String(decoding: recovered.json, as: UTF8.self)
        == #"{"StorageRecovered":{"outage_started_at":"2026-05-07T10:00:00Z","recovered_at":"2026-05-07T10:01:00Z","#
        + #""outage_duration_secs":60,"events_affected":12,"service_name":"tocsin"}}"#)
  }
}
