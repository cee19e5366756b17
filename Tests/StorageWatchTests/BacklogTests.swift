import JSON
import Testing

@testable import StorageWatch

@Suite("What the hooks have yet to be told") struct BacklogTests {
  @Test("What was sent and not noted is sent again under its id, and is one pair at the receiver")
  func restartAfterSending() throws {
    var storage = Storage()
    _ = storage.fail(seconds: 40)
    storage.tell("hook", isNoted: false)
    try storage.restart()
    storage.tell("hook")
    _ = storage.probe(.usable)
    storage.tell("hook", isNoted: false)
    try storage.restart()
    storage.tell("hook")
    #expect(storage.received["hook"]?.map(\.id) == ["outage-1-alert-1", "outage-1-recovery"])
    #expect(storage.state.backlog.isEmpty)
  }

  @Test("A hook that was away gets the latest alert and then the recovery, each once")
  func awayHook() {
    var storage = Storage(hooks: ["away", "hook"])
    for alert in storage.fail(seconds: 700) {
      #expect(alert.isAlert)
      storage.tell("hook")
    }
    storage.tell("hook")
    _ = storage.probe(.usable)
    storage.tellAll()
    #expect(storage.received["away"]?.map(\.id) == ["outage-1-alert-3", "outage-1-recovery"])
    #expect(storage.received["hook"]?.last?.id == "outage-1-recovery")
  }

  @Test("An outage that is over is told for an hour, and never its end without its beginning")
  func patience() {
    var storage = Storage()
    _ = storage.fail(seconds: 40)
    _ = storage.probe(.usable)
    storage.now += HookBacklog.patienceSeconds
    _ = storage.probe(.usable)
    #expect(storage.state.backlog.next(for: "hook")?.isAlert == true)
    storage.now += 1
    _ = storage.probe(.usable)
    #expect(storage.state.backlog.isEmpty)
  }

  @Test("While an outage lasts, it is told however long that takes")
  func lastingOutage() {
    var storage = Storage(cooldown: 1_000_000)
    _ = storage.fail(seconds: 40)
    storage.now += 900_000
    _ = storage.probe(.failed("still"))
    #expect(storage.state.backlog.next(for: "hook")?.id == "outage-1-alert-1")
  }

  @Test("A hook that was added during an outage is not told of an end whose beginning it does not know")
  func addedHook() {
    var storage = Storage()
    _ = storage.fail(seconds: 40)
    guard let recovery = storage.probe(.usable) else {
      Issue.record("no recovery")
      return
    }
    storage.state.backlog.add(recovery, for: ["new"])
    #expect(storage.state.backlog.next(for: "new") == nil)
  }

  @Test("What a hook that is no more was to be told is told to the operator")
  func removedHook() {
    var storage = Storage()
    _ = storage.fail(seconds: 40)
    let lost = storage.state.backlog.clear(keeping: [], lasting: "outage-1", at: storage.now)
    #expect(lost.map(\.hook) == ["hook"] && lost.map(\.message.id) == ["outage-1-alert-1"])
    #expect(storage.state.backlog.isEmpty)
  }

  @Test("The file keeps everything, and says what is wrong with one that it cannot be")
  func file() throws {
    var storage = Storage(hooks: ["one", "two"])
    #expect(try CheckerState(bytes: storage.state.json) == storage.state)
    _ = storage.fail(seconds: 400)
    storage.tell("one")
    #expect(try CheckerState(bytes: storage.state.json) == storage.state)
    let whole = storage.state.json
    for length in 0..<whole.count {
      #expect(throws: (any Error).self) { try CheckerState(bytes: Array(whole.prefix(length))) }
    }
    let other = Array(String(decoding: whole, as: UTF8.self).replacing(#""version":1"#, with: #""version":2"#).utf8)
    #expect(throws: JSONFaults(pointer: "/version", "must be a whole number from 1 to 1")) {
      try CheckerState(bytes: other)
    }
  }

  @Test(
    "A number in the file that nothing could be reckoned with is a fault of the file",
    arguments: [
      ("first_failure_at", "9223372036854775807"), ("last_failure_at", "-9223372036854775808"),
      ("last_alert_at", "-9223372036854775808"), ("last_alert_at", "9223372036854775807"),
      ("consecutive_failures", "9223372036854775807"), ("alerts", "9223372036854775807"),
      ("made_at", "-9223372036854775808"), ("unreachable_duration_secs", "9223372036854775807"),
    ])
  func numbers(member: String, value: String) throws {
    var storage = Storage()
    _ = storage.fail(seconds: 40)
    let whole = String(decoding: storage.state.json, as: UTF8.self)
    let member = try Regex("\"\(member)\":\\d+")
    let bytes = Array(whole.replacing(member) { "\($0.output[0].substring?.prefix { $0 != ":" } ?? ""):\(value)" }.utf8)
    #expect(bytes != storage.state.json)
    #expect(throws: JSONFaults.self) { try CheckerState(bytes: bytes) }
  }
}
