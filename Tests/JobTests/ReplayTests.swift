import Glibc
import Host
import JSON
import Matching
import Postgres
import Spool
import Store
import TestSupport
import Testing

/// What becomes of events that came in while the database was away, once it is back.
@Suite("replay") struct ReplayTests {
  private let database: TestDatabase
  private let folder: TemporaryFolder
  private let key = KeyForm.make()
  private let spool: SpoolFolder

  init() throws {
    database = try TestDatabase()
    folder = try TemporaryFolder()
    spool = SpoolFolder(folder.path + "/spool", reserve: 0)
    try #require(mkdir(spool.path, 0o700) == 0)
    try database.store().createKey(key, tenant: "acme", KeyDraft(name: "test", role: .ingest))
  }

  private func makePolicy(_ id: String = "logins", tenant: String = "acme", _ members: JSONObject = [:]) throws {
    let document: JSONObject = [
      "name": .string(id), "rules": [["field": "type", "operator": "eq", "value": "login"]], "severity": "high",
      "message_template": "{user}", "summary_template": "s", "providers": [], "max_alerts_per_hour": 0,
    ]
    let policy = try Policy(json: .object(document.overlaid(with: members)))
    _ = try database.store().createPolicy(tenant: tenant, id: id, policy, by: "test")
  }

  private func body(
    _ text: String, secondsAgo: Int = 600, tenant: String = "acme", key: String? = nil,
    sender: SpooledBody.Sender? = nil, isLines: Bool = false, attempt: AdmissionMark? = nil
  ) -> SpooledBody {
    SpooledBody(
      tenant: tenant, sender: sender ?? .key(digest: KeyDigest(of: key ?? self.key).text),
      receivedAt: Clock.microseconds - secondsAgo * 1_000_000, isLines: isLines, events: 1, attempt: attempt?.text,
      bytes: Array(text.utf8))
  }

  private func start(_ settings: [String: String] = [:]) throws -> Program {
    let usual = [
      "ALERTING_DATABASE_URL": database.url, "ALERTING_STATE_DIRECTORY": folder.path, "ALERTING_REPLAY_SECONDS": "0",
    ]
    return try Program("replay", environment: usual.merging(settings) { $1 })
  }

  /// Has a replay run until nothing is left, and answers what it told its operator.
  @discardableResult
  private func replay() throws -> String {
    let program = try start()
    try #require(poll(within: 60) { try segments().isEmpty }, "\(program.standardError)")
    try program.terminate()
    #expect(program.ending() == .exit(0))
    return program.standardError
  }

  private func segments() throws -> [String] {
    try File.names(in: spool.path).filter { $0.hasSuffix(".open") || $0.hasSuffix(".sealed") }
  }

  @Test("Spooled events are decided as of the moment they came in, each as it was sent")
  func effects() throws {
    try makePolicy()
    let writer = SpoolWriter(spool)
    _ = try writer.append(body(#"{"type":"login","user":"alice"}"#, secondsAgo: 3600))
    let lines = "{\"type\":\"login\",\"user\":\"bob\"}\n{broken\n{\"type\":\"logout\"}\n"
    _ = try writer.append(body(lines, isLines: true))
    _ = try writer.append(body(#"[{"type":"login","user":"carol"}]"#, secondsAgo: 0))
    let told = try replay()
    let alerts = try database.texts(
      "SELECT title || ' ' || round(extract(epoch FROM now() - triggered_at) / 60) FROM alerts ORDER BY triggered_at")
    #expect(alerts == ["alice 60", "bob 10", "carol 0"])
    #expect(told.contains(#"has been replayed events="3""#), "\(told)")
    #expect(try database.texts("SELECT segment FROM alert_spool_replays").isEmpty)
    #expect(try spool.events(since: 0) == 3)
  }

  @Test("Throttles, windows and suppressions hold as they did then")
  func limits() throws {
    try makePolicy("throttled", ["throttle_minutes": 30])
    try makePolicy("suppressed")
    let minute = { Clock.rfc3339(Clock.now - $0 * 60).dropFirst(11).prefix(5) }
    try makePolicy(
      "windowed", ["time_window": ["start_time": .string("\(minute(125))"), "end_time": .string("\(minute(115))")]])
    let suppression = try Suppression(json: [
      "policy_id": "suppressed", "starts_at": .string(Clock.rfc3339(Clock.now - 3 * 3600)),
      "suppressed_until": .string(Clock.rfc3339(Clock.now - 1800)),
    ])
    _ = try database.store().createSuppression(tenant: "acme", id: "over", suppression, by: "test")
    let writer = SpoolWriter(spool)
    for minutes in [120, 110, 80, 10] { _ = try writer.append(body(#"{"type":"login"}"#, secondsAgo: minutes * 60)) }
    try replay()
    let alerts = try database.texts(
      """
      SELECT policy_id || ' ' || status || ' ' || round(extract(epoch FROM now() - triggered_at) / 60)
      FROM alerts
      ORDER BY policy_id, triggered_at
      """)
    #expect(
      alerts == [
        "suppressed suppressed 120", "suppressed suppressed 110", "suppressed suppressed 80", "suppressed active 10",
        "throttled active 120", "throttled active 80", "throttled active 10", "windowed active 120",
      ])
  }

  @Test("Killed again and again, a replay has each event its effects once")
  func killed() throws {
    try makePolicy()
    let writers = (0..<3).map { _ in SpoolWriter(spool) }
    let count = 1500
    for number in 0..<count {
      _ = try writers[number % 3].append(
        body("{\"type\":\"login\",\"user\":\"\(number)\"}", secondsAgo: 3600 - number))
    }
    var kills = 0
    while try kills < 200 && !segments().isEmpty {
      let program = try start()
      usleep(.random(in: 520_000...700_000))
      program.signal(SIGKILL)
      if program.ending() == .signal(SIGKILL) { kills += 1 }
    }
    try replay()
    #expect(kills > 1)
    #expect(try database.texts("SELECT count(*) || ' ' || count(DISTINCT title) FROM alerts") == ["\(count) \(count)"])
  }

  /// Admits an event of `logins` as a worker does.
  private func admit(_ title: String, leaving mark: AdmissionMark) throws -> [Decision] {
    var batch = MatchBatch()
    batch.add(MatchKey(policyID: "logins"), limit: nil) {
      AlertDraft(id: Identifier.make("alert-"), title: title, message: "m", summary: "s", event: Array("{}".utf8))
    }
    return try database.store().admit(tenant: "acme", batch, leaving: [mark]).map(\.decision)
  }

  private var counts: [String] {
    get throws {
      try database.texts(
        "SELECT decision || ' ' || sum(events) FROM alert_decision_counts GROUP BY decision ORDER BY 1")
    }
  }

  @Test("What was admitted before it was spooled, if only to be held back, is not admitted again, and all else is")
  func attempted() throws {
    try makePolicy("logins", ["throttle_minutes": 1000])
    var (raising, holding) = (AdmissionMark.Series(), AdmissionMark.Series())
    let (raised, heldBack) = (raising.next(), holding.next())
    #expect(try admit("first", leaving: raised) == [.raised])
    #expect(try admit("second", leaving: heldBack) == [.throttled])
    let writer = SpoolWriter(spool)
    for mark in [raised, heldBack, raising.next()] {
      _ = try writer.append(body(#"{"type":"login","user":"again"}"#, secondsAgo: 0, attempt: mark))
    }
    try replay()
    #expect(try database.texts("SELECT title FROM alerts") == ["first"])
    #expect(try counts == ["raised 1", "throttled 2"])
    #expect(try database.texts("SELECT events::text FROM alert_repeats") == ["2"])
  }

  @Test("An attempt that is still under way when its events are replayed takes effect, and they do not again")
  func underWay() throws {
    try makePolicy()
    var marks = AdmissionMark.Series()
    let mark = marks.next()
    let parts = mark.text.split(separator: "/")
    let attempt = try database.connect()
    try attempt.run(
      script: """
        BEGIN;
        INSERT INTO alert_admission_marks (tenant_id, producer, sequence) VALUES ('acme', '\(parts[0])', \(parts[1]))
        """)
    _ = try SpoolWriter(spool).append(body(#"{"type":"login","user":"again"}"#, attempt: mark))
    let program = try start()
    let waiting = "SELECT 'waits' FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    try #require(poll(within: 30) { try !database.texts(waiting).isEmpty }, "\(program.standardError)")
    try attempt.run(script: "COMMIT")
    #expect(try poll(within: 30) { try segments().isEmpty }, "\(program.standardError)")
    #expect(try database.texts("SELECT title FROM alerts").isEmpty)
  }

  @Test("An attempt that comes only after its events were replayed has no effect")
  func late() throws {
    try makePolicy()
    var marks = AdmissionMark.Series()
    let mark = marks.next()
    _ = try SpoolWriter(spool).append(body(#"{"type":"login","user":"replayed"}"#, attempt: mark))
    try replay()
    #expect(throws: PostgresError.self) { try admit("late", leaving: mark) }
    #expect(try database.texts("SELECT title FROM alerts") == ["replayed"])
    #expect(try counts == ["raised 1"])
    #expect(try admit("next", leaving: marks.next()) == [.raised])
  }

  @Test("A record with a mark that nobody can read is set aside and told")
  func unknownMark() throws {
    try makePolicy()
    let text = #"{"type":"login"}"#
    let record = SpooledBody(
      tenant: "acme", sender: .key(digest: KeyDigest(of: key).text), receivedAt: 1, isLines: false, events: 1,
      attempt: "1/x", bytes: Array(text.utf8))
    _ = try SpoolWriter(spool).append(record)
    #expect(try replay().contains("no mark of an admission: 1/x"))
    #expect(try File.names(in: spool.path + "/aside").count == 1)
  }

  @Test("What meets no policy is not read again by the next replay")
  func unmatched() throws {
    try makePolicy()
    let writer = SpoolWriter(spool)
    for _ in 0..<10 { _ = try writer.append(body(#"{"type":"logout"}"#)) }
    let key = KeyForm.make()
    try database.store().createKey(key, tenant: "other", KeyDraft(name: "test", role: .ingest))
    try makePolicy(tenant: "other")
    try database.run("UPDATE alert_policies SET document = '{}' WHERE tenant_id = 'other'")
    _ = try writer.append(body(#"{"type":"login"}"#, tenant: "other", key: key))
    let program = try start()
    let marks = "SELECT tenant_id FROM alert_spool_replays"
    #expect(try poll(within: 30) { try database.texts(marks) == ["acme"] }, "\(program.standardError)")
  }

  @Test("What is damaged is set aside and told, what is torn is cut and told, and all else is replayed")
  func damage() throws {
    try makePolicy()
    let writer = SpoolWriter(spool)
    for user in ["a", "b", "c", "d"] { _ = try writer.append(body("{\"type\":\"login\",\"user\":\"\(user)\"}")) }
    let path = try "\(spool.path)/\(#require(segments().first))"
    var bytes = try File.read(path)
    let size = bytes.count / 4
    bytes[size + size / 2] ^= 1
    try File.replace(path, with: Array(bytes.dropLast(3)))
    let told = try replay()
    #expect(try database.texts("SELECT title FROM alerts ORDER BY title") == ["a", "c"])
    let aside = try File.names(in: spool.path + "/aside")
    #expect(aside.count == 1)
    #expect(try File.read("\(spool.path)/aside/\(aside[0])") == Array(bytes[size..<2 * size]))
    #expect(told.contains("set aside") && told.contains(aside[0]), "\(told)")
    #expect(told.contains("the beginning of a record is cut"), "\(told)")
  }

  @Test(
    "A key that had ended before the events came in gets nothing replayed, one that ended later does",
    arguments: ["revoked_at", "expires_at"])
  func endedKeys(column: String) throws {
    try makePolicy()
    let early = KeyForm.make()
    try database.store().createKey(early, tenant: "acme", KeyDraft(name: "early", role: .ingest))
    try database.run(
      """
      UPDATE api_keys SET created_at = now() - interval '1 day';
      UPDATE api_keys SET \(column) = now() - interval '1 hour' WHERE name = 'early';
      UPDATE api_keys SET \(column) = now() WHERE name = 'test';
      """)
    let writer = SpoolWriter(spool)
    _ = try writer.append(body(#"{"type":"login","user":"early"}"#, key: early))
    _ = try writer.append(body(#"{"type":"login","user":"nobody"}"#, key: "nobody's"))
    _ = try writer.append(body(#"{"type":"login","user":"late"}"#))
    let told = try replay()
    #expect(try database.texts("SELECT title FROM alerts") == ["late"])
    #expect(try File.names(in: spool.path + "/aside").count == 2)
    #expect(told.contains("revoked"), "\(told)")
  }

  @Test("What came with a good token is replayed, unless there is no such tenant")
  func tokens() throws {
    try makePolicy()
    let writer = SpoolWriter(spool)
    for (tenant, user) in [("acme", "alice"), ("nowhere", "bob")] {
      let text = "{\"type\":\"login\",\"user\":\"\(user)\"}"
      _ = try writer.append(body(text, tenant: tenant, sender: .token(bearer: "user:\(user)")))
    }
    let told = try replay()
    #expect(try database.texts("SELECT title FROM alerts") == ["alice"])
    #expect(try File.names(in: spool.path + "/aside").count == 1)
    #expect(told.contains("a tenant that there is none of"), "\(told)")
  }

  @Test("A tenant whose policies cannot be read waits, and no other tenant with it")
  func waitingTenant() throws {
    let other = KeyForm.make()
    try database.store().createKey(other, tenant: "other", KeyDraft(name: "test", role: .ingest))
    try makePolicy()
    try makePolicy(tenant: "other")
    try database.run("UPDATE alert_policies SET document = '{}' WHERE tenant_id = 'acme'")
    let writer = SpoolWriter(spool)
    for number in 0..<3 {
      _ = try writer.append(body("{\"type\":\"login\",\"user\":\"acme \(number)\"}"))
      _ = try writer.append(body("{\"type\":\"login\",\"user\":\"other \(number)\"}", tenant: "other", key: other))
    }
    let program = try start()
    let titles = { try database.texts("SELECT title FROM alerts ORDER BY title") }
    try poll(within: 30) { try titles().count == 3 && program.standardError.contains("wait") }
    #expect(try titles() == ["other 0", "other 1", "other 2"])
    _ = try writer.append(body(#"{"type":"login","user":"other 3"}"#, tenant: "other", key: other))
    #expect(try poll(within: 30) { try titles().contains("other 3") })
    try database.run("DELETE FROM alert_policies WHERE tenant_id = 'acme'")
    try makePolicy()
    #expect(try poll(within: 30) { try segments().isEmpty }, "\(program.standardError)")
    #expect(try titles() == ["acme 0", "acme 1", "acme 2", "other 0", "other 1", "other 2", "other 3"])
  }

  @Test("While the database takes no writes the spool waits, and is replayed when it does again")
  func databaseAway() throws {
    try makePolicy()
    _ = try SpoolWriter(spool).append(body(#"{"type":"login"}"#))
    let name = try database.texts("SELECT current_database()::text")[0]
    try database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let program = try start()
    try #require(poll(within: 30) { program.standardError.contains("what was spooled waits") })
    try database.administer("ALTER DATABASE \(name) RESET default_transaction_read_only")
    #expect(try poll(within: 30) { try segments().isEmpty }, "\(program.standardError)")
    #expect(try database.texts("SELECT count(*)::text FROM alerts") == ["1"])
  }

  @Test("Where no folder can be made it says so once, waits its time without a failure, and is not missed")
  func noFolder() throws {
    try database.run("UPDATE alert_job_runs SET ran_at = now() - interval '1 hour'")
    let program = try start(["ALERTING_STATE_DIRECTORY": folder.path + "/none", "ALERTING_REPLAY_SECONDS": "1"])
    #expect(program.ending(within: 20) == .exit(0))
    #expect(program.standardError.split(separator: "\n").count == 1, "\(program.standardError)")
    #expect(program.standardError.contains("cannot make \(folder.path)/none/spool"))
    #expect(try database.store().latestRuns().first { $0.job == "replay" }?.isOverdue == false)
  }
}
