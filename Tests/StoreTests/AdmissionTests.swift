import Host
import Matching
import Postgres
import Store
import TestSupport
import Testing

@Suite("Admission")
struct AdmissionTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.avoidEndOfHour()
  }

  private func decisions(_ matches: Tenant.Matched...) throws -> [Decision] {
    try tenant.admit(matches).map(\.decision)
  }

  @Test("A raised alert has a delivery for each provider, skipped for one that is switched off")
  func deliveries() throws {
    try tenant.makeProviders("b", "a")
    try tenant.makeProviders("off", isEnabled: false)
    try tenant.makePolicy("logins", ["providers": ["b", "off", "a"], "severity": "critical"])
    let admission = try #require(try tenant.admit(Tenant.match()).first)
    #expect(admission.decision == .raised && !admission.isDuplicate && admission.severity == .critical)
    #expect(admission.deliveries.map(\.providerID) == ["a", "b", "off"])
    #expect(admission.deliveries.map(\.state) == ["pending", "pending", "skipped"])
    let stored = try tenant.database.texts("SELECT provider_id || ' ' || state FROM alert_deliveries ORDER BY 1")
    #expect(stored == ["a pending", "b pending", "off skipped"])
  }

  @Test("Nothing comes of a policy that has gone, is switched off, or is another tenant's")
  func withoutPolicy() throws {
    try tenant.makePolicy("off", ["enabled": false])
    try tenant.makePolicy()
    #expect(try tenant.admit(Tenant.match("gone"), Tenant.match("off"), Tenant.match()).map(\.policyID) == ["logins"])
    #expect(try tenant.store.admit(tenant: "umbrella", Tenant.batch([Tenant.match()])).isEmpty)
    #expect(try tenant.alerts().count == 1)
  }

  @Test("No match is no decision")
  func noMatch() throws {
    #expect(try tenant.admit([]).isEmpty)
  }

  @Test("What the policy says now counts, not what it said when the event matched")
  func currentSettings() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 1])
    #expect(try decisions(Tenant.match(), Tenant.match()) == [.raised, .capped])
    _ = try tenant.store.changePolicy(tenant: "acme", id: "logins") { _ in
      try Tenant.policy(["max_alerts_per_hour": 2, "severity": "low"])
    }
    let admissions = try tenant.admit(Tenant.match(), Tenant.match())
    #expect(admissions.map(\.decision) == [.raised, .capped])
    #expect(admissions.map(\.severity) == [.low, .low])
  }

  @Test("Event ids that look alike and differ in their bytes are different events")
  func eventIDsByBytes() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 0])
    let admissions = try tenant.admit(Tenant.match(eventID: "\u{E9}"), Tenant.match(eventID: "e\u{301}"))
    #expect(admissions.map(\.isDuplicate) == [false, false])
    #expect(try tenant.alerts().count == 2)
  }

  @Test("In a batch the first matches of a key are raised and the others fold into its alert")
  func batch() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 2, "throttle_by": ["user"]])
    let admissions = try tenant.admit(
      Tenant.match(key: "[1]"), Tenant.match(key: "[2]"), Tenant.match(key: "[1]"), Tenant.match(key: "[1]"))
    #expect(admissions.map(\.decision) == [.raised, .raised, .raised, .capped])
    let alert = try #require(admissions.last?.alertID)
    #expect([admissions[0].alertID, admissions[2].alertID].contains(alert))
    #expect(try tenant.store.alert(tenant: "acme", id: alert)?.eventCount == 2)
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == 4)
  }

  @Test("A throttle ends when its minutes are over")
  func throttleEnds() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 10, "max_alerts_per_hour": 0])
    #expect(try decisions(Tenant.match(), Tenant.match()) == [.raised, .throttled])
    try tenant.database.run("UPDATE alert_throttles SET last_alert_at = now() - interval '9 minutes 50 seconds'")
    #expect(try decisions(Tenant.match()) == [.throttled])
    try tenant.database.run("UPDATE alert_throttles SET last_alert_at = now() - interval '10 minutes'")
    #expect(try decisions(Tenant.match(), Tenant.match()) == [.raised, .throttled])
  }

  @Test("A cap begins anew with the clock hour")
  func capEnds() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 2])
    #expect(try decisions(Tenant.match(), Tenant.match(), Tenant.match()) == [.raised, .raised, .capped])
    try tenant.database.run("UPDATE alert_throttles SET hour = hour - interval '1 hour'")
    #expect(try decisions(Tenant.match(), Tenant.match(), Tenant.match()) == [.raised, .raised, .capped])
  }

  @Test("A statement whose clock is behind the row that it waited for grants nothing twice")
  func clockBehind() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 2, "throttle_minutes": 1])
    try tenant.admit(Tenant.match())
    try tenant.database.run(
      "UPDATE alert_throttles SET hour = hour + interval '1 hour', last_alert_at = now() + interval '1 second'")
    #expect(try decisions(Tenant.match()) == [.throttled])
    try tenant.database.run("UPDATE alert_throttles SET last_alert_at = now() - interval '2 minutes', hour_count = 2")
    #expect(try decisions(Tenant.match()) == [.capped])
  }

  @Test("Held back by both, a match is told the throttle while it lasts, then the cap")
  func throttleAndCap() throws {
    try tenant.makePolicy("logins", ["throttle_minutes": 10, "max_alerts_per_hour": 1])
    #expect(try decisions(Tenant.match(), Tenant.match()) == [.raised, .throttled])
    try tenant.database.run("UPDATE alert_throttles SET last_alert_at = now() - interval '11 minutes'")
    #expect(try decisions(Tenant.match()) == [.capped])
  }

  @Test("Outside its window a policy raises nothing, and the events are counted")
  func window() throws {
    let now = try #require(try tenant.database.texts("SELECT to_char(now() AT TIME ZONE 'UTC', 'HH24:MI')").first)
    let hour = try #require(Int(now.prefix(2)))
    func time(_ hour: Int) -> String { (hour % 24 < 10 ? "0" : "") + "\(hour % 24):30" }
    try tenant.makePolicy(
      "closed", ["time_window": ["start_time": .string(time(hour + 2)), "end_time": .string(time(hour + 4))]])
    try tenant.makePolicy(
      "open", ["time_window": ["start_time": .string(time(hour + 22)), "end_time": .string(time(hour + 2))]])
    let admissions = try tenant.admit(Tenant.match("closed", eventID: "e"), Tenant.match("open"))
    #expect(admissions.map(\.decision) == [.outsideWindow, .raised])
    #expect(admissions.first?.alertID == nil)
    #expect(try tenant.counts(of: "closed") == ["outside_window": 1])
    #expect(try tenant.database.texts("SELECT decision FROM alert_decisions") == ["outside_window"])
    #expect(try tenant.alerts().map(\.policyID) == ["open"])
  }

  @Test("A suppression in force holds an alert back and leaves it on record, without a delivery")
  func suppression() throws {
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["providers": ["pager"], "throttle_minutes": 5, "max_alerts_per_hour": 0])
    try tenant.makeSuppression("now")
    try tenant.makeSuppression("over", from: -2, until: -1)
    try tenant.makeSuppression("later", from: 1, until: 2)
    let held = try tenant.admit(
      Tenant.match(suppressions: ["later", "now"]), Tenant.match(suppressions: ["now"]))
    #expect(held.map(\.decision) == [.suppressed, .suppressed])
    #expect(Set(held.map(\.alertID)).count == 1)
    #expect(held.allSatisfy { $0.deliveries.isEmpty })
    #expect(try decisions(Tenant.match(suppressions: ["over", "later", "none"])) == [.raised])
    #expect(try tenant.alerts().map(\.status) == [.active, .suppressed])
    #expect(try tenant.alerts().map(\.eventCount) == [1, 2])
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alert_deliveries") == ["1"])
  }

  @Test("A repeat of an event is answered with the first decision and its alert, in a batch and later")
  func repeats() throws {
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 1])
    try tenant.makePolicy("others")
    let batch = try tenant.admit(
      Tenant.match(eventID: "e-1"), Tenant.match(eventID: "e-1"), Tenant.match("others", eventID: "e-1"),
      Tenant.match(eventID: "e-2"), Tenant.match(eventID: "e-2"))
    #expect(batch.map(\.decision) == [.raised, .raised, .raised, .capped, .capped])
    #expect(batch.map(\.isDuplicate) == [false, true, false, false, true])
    #expect(batch[0].alertID == batch[1].alertID && batch[0].alertID != batch[2].alertID)
    let later = try tenant.admit(Tenant.match(eventID: "e-2"), Tenant.match(eventID: "e-1"))
    #expect(later.map(\.decision) == [.capped, .raised])
    #expect(later.map(\.isDuplicate) == [true, true])
    #expect(later.map(\.alertID) == [batch[3].alertID, batch[0].alertID])
    #expect(later[1].deliveries.map(\.providerID) == ["pager"])
    #expect(try tenant.counts() == ["raised": 1, "capped": 1])
    #expect(try tenant.alerts().map(\.eventCount).reduce(0, +) == 3)
  }

  @Test("The same event id in another tenant is another event")
  func otherTenant() throws {
    try tenant.makePolicy()
    let umbrella = try Tenant(in: tenant.database, name: "umbrella")
    try umbrella.makePolicy()
    #expect(try tenant.admit(Tenant.match(eventID: "e")).map(\.isDuplicate) == [false])
    #expect(try umbrella.admit(Tenant.match(eventID: "e")).map(\.isDuplicate) == [false])
  }

  @Test("Keys and ids that no index could hold work like short ones")
  func longKeys() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 1])
    let scalars = (0..<20_000).map { _ in Unicode.Scalar(UInt8.random(in: 33...126)) }
    let long = String(String.UnicodeScalarView(scalars))
    let batch = try tenant.admit(
      Tenant.match(key: long, eventID: long), Tenant.match(key: long + "x", eventID: long + "x"),
      Tenant.match(key: long), Tenant.match(key: long, eventID: long))
    #expect(batch.map(\.decision) == [.raised, .raised, .capped, .raised])
    #expect(batch.map(\.isDuplicate) == [false, false, false, true])
  }

  @Test("Events with NUL, lone surrogates, equal keys or huge numbers are stored as they came")
  func oddEvents() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 0])
    let events = [
      #"{"a":"\u0000"}"#, #"{"a":"\ud800"}"#, #"{"a" : 1, "a":2.50}"#,
      "{\"n\":-\(String(repeating: "9", count: 400))e9}",
    ]
    let admissions = try tenant.admit(events.map { Tenant.match(event: $0) })
    #expect(admissions.map(\.decision) == [.raised, .raised, .raised, .raised])
    for (event, admission) in zip(events, admissions) {
      let alert = try tenant.store.alert(tenant: "acme", id: admission.alertID ?? "")
      #expect(alert?.event.bytes == Array(event.utf8))
    }
  }

  @Test("A batch that cannot be stored leaves nothing behind")
  func allOrNothing() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 0])
    let error = #expect(throws: PostgresError.self) {
      try tenant.admit(Tenant.match(eventID: "e"), Tenant.match(event: "{"))
    }
    #expect(error?.refusal != nil)
    #expect(try tenant.alerts().isEmpty)
    #expect(try tenant.counts() == [:])
    #expect(try tenant.admit(Tenant.match(eventID: "e")).map(\.isDuplicate) == [false])
  }

  @Test("A raised alert wakes who waits for deliveries; one that is held back does not")
  func notification() throws {
    let connection = try tenant.database.connect()
    try connection.listen(to: "tocsin_deliveries")
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["providers": ["pager"], "max_alerts_per_hour": 1])
    try tenant.admit(Tenant.match())
    #expect(try connection.waitForNotification(seconds: 10))
    try tenant.admit(Tenant.match())
    #expect(try !connection.waitForNotification(seconds: 0.05))
  }

  @Test("Through a pooler, where nothing can be prepared, admission is the same")
  func unprepared() throws {
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 1])
    let store = Store(url: tenant.database.url, prepares: false)
    let admissions = try (0..<2).flatMap { _ in try store.admit(tenant: "acme", Tenant.batch([Tenant.match()])) }
    #expect(admissions.map(\.decision) == [.raised, .capped])
  }

  @Test("On a database that began empty, an admission reads no more the more there is")
  func growth() throws {
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 150, "providers": ["pager"]])
    let count = 300
    for _ in 0..<2 {
      let store = tenant.database.store()
      for number in 0..<count {
        _ = try store.admit(tenant: "acme", Tenant.batch([Tenant.match(eventID: "e \(number)")]))
      }
    }
    // The server's statistics come in when the connections that made them end.
    let deadline = Clock.monotonic + 10
    var reads = 0
    while reads < count, Clock.monotonic < deadline { reads = try rowsRead() }
    #expect((count..<count * 20).contains(reads))
  }

  /// How many rows were read of the tables that grow with the alerts, by whatever scan.
  private func rowsRead() throws -> Int {
    let rows = try tenant.database.connect().run(
      Statement(
        "reads",
        """
        SELECT
          (SELECT sum(seq_tup_read) FROM pg_stat_user_tables WHERE relname = ANY ($1))::bigint
          + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = ANY ($1))::bigint
        """), .texts(["alerts", "alert_deliveries", "alert_decisions"]))
    return rows[0].int(0)
  }

  @Test("A large batch is decided whole")
  func largeBatch() throws {
    try tenant.makeProviders("pager")
    try tenant.makePolicy("logins", ["max_alerts_per_hour": 3, "providers": ["pager"]])
    let matches = (0..<6000).map { Tenant.match(key: "[\($0 / 4)]", eventID: "e \($0)") }
    let admissions = try tenant.admit(matches)
    #expect(admissions.count == 6000)
    #expect(try tenant.counts() == ["raised": 4500, "capped": 1500])
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alert_deliveries") == ["4500"])
  }
}
