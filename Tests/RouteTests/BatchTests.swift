import Glibc
import Host
import JSON
import TestSupport
import Testing

@Suite("Batches of events, in a worker") struct BatchTests {
  let service: Service

  init() throws {
    service = try Service()
    try service.database.avoidEnd(of: "hour", seconds: 30)
  }

  private func makePolicy(_ id: String, type: String = "login", _ members: String) throws {
    let document = """
      {"policy_id":"\(id)","name":"\(id)","rules":[{"field":"type","operator":"eq","value":"\(type)"}],
      "message_template":"{user}","summary_template":"{user}","providers":[],\(members)}
      """
    let created = try service.call("POST", "/policies", body: document)
    try #require(created.status == 201, "\(created.text)")
  }

  private func send(_ body: String, type: String = "application/x-ndjson") throws -> WebAnswer {
    try service.call("POST", "/process-event", key: "ingest", type: type, body: body)
  }

  /// What is on record of a policy: each decision with its events, and the events that the alerts stand for.
  private func record(of policy: String) throws -> [String] {
    try service.database.texts(
      """
      SELECT decision || ' ' || sum(events)
      FROM alert_decision_counts
      WHERE policy_id = '\(policy)'
      GROUP BY decision
      UNION ALL
      SELECT 'alerts ' || count(*) || ' for ' || count(*) + coalesce(sum(repeats.events), 0)
      FROM alerts
      LEFT JOIN alert_repeats AS repeats USING (tenant_id, alert_id)
      WHERE policy_id = '\(policy)'
      ORDER BY 1
      """)
  }

  private func events(_ count: Int, type: String = "login", users: Int = 1, id: String = "") -> [String] {
    (0..<count).map { number in
      let id = id.isEmpty ? "" : ",\"event_id\":\"\(id)-\(number)\""
      return "{\"type\":\"\(type)\",\"user\":\"user \(number % users)\"\(id)}"
    }
  }

  @Test("Every event of a batch is on record with what became of it, however few rows it took")
  func folding() throws {
    try makePolicy("throttled", #""throttle_minutes":60,"max_alerts_per_hour":0,"throttle_by":["user"]"#)
    try makePolicy("capped", #""max_alerts_per_hour":4"#)
    try makePolicy("free", type: "rare", #""max_alerts_per_hour":0"#)
    let body = events(5000, users: 7) + events(20, type: "rare") + events(1000, type: "other")
    for round in 1...2 {
      let answer = try send(body.joined(separator: "\n"))
      #expect(try answer["received"] == 6020)
      #expect(try answer["matched"] == 5020)
      #expect(try answer["triggered_total"] == (round == 1 ? 31 : 20))
      #expect(try answer["message"] == .string("Event processed, \(round == 1 ? 31 : 20) alerts triggered"))
    }
    #expect(try record(of: "throttled") == ["alerts 7 for 10000", "raised 7", "throttled 9993"])
    #expect(try record(of: "capped") == ["alerts 4 for 10000", "capped 9996", "raised 4"])
    #expect(try record(of: "free") == ["alerts 40 for 40", "raised 40"])
  }

  @Test("NDJSON without an event is refused as an empty body is", arguments: ["", "\n", " \t\r\n\n  "])
  func noLines(body: String) throws {
    let answer = try send(body)
    #expect(answer.status == 400)
    #expect(try answer.detail.contains("empty"))
  }

  @Test("Lines that are no events cost nobody else, and the first thousand are told")
  func rejects() throws {
    try makePolicy("all", #""max_alerts_per_hour":0"#)
    let long = "{\"type\":\"login\",\"user\":\"\(String(repeating: "x", count: 1 << 20))\"}"
    let lines = events(3) + ["", "nonsense", long, " \t"] + events(2) + Array(repeating: "x", count: 1500)
    let answer = try send(lines.joined(separator: "\n"))
    #expect(try answer["received"] == 1507)
    #expect(try answer["triggered_total"] == 5)
    #expect(try answer["rejected_total"] == 1502)
    guard case .array(let rejected) = try answer["rejected"] else { throw SystemFailure("no rejects", 0) }
    #expect(rejected.count == 1000)
    #expect(rejected[0] == ["index": 3, "detail": "The event is not a JSON object: expected an object at byte 0."])
    #expect(rejected[1] == ["index": 4, "detail": "The event is larger than 1048576 bytes; send less of it."])
    #expect(rejected[2].object?["index"] == 7)
    #expect(try record(of: "all") == ["alerts 5 for 5", "raised 5"])
  }

  @Test("Of an array that is broken at its very end nothing is admitted, and the byte is told")
  func brokenArray() throws {
    try makePolicy("all", #""max_alerts_per_hour":0"#)
    let array = "[" + events(20_000).joined(separator: ",\n")
    let answer = try send(array + "}", type: "application/json")
    #expect(answer.status == 400)
    #expect(try answer.detail.contains("at byte \(array.utf8.count)."))
    #expect(try record(of: "all") == ["alerts 0 for 0"])
    #expect(try send(array, type: "application/json").status == 400)
    #expect(try send(array + "]", type: "application/json")["triggered_total"] == 20_000)
  }

  @Test("A body of the limit is taken and one byte more is not, and a worker's memory does not grow with it")
  func limit() throws {
    try makePolicy("all", #""throttle_minutes":60"#)
    let line = events(1, type: "other")[0] + "\n"
    let limit = 16 << 20
    func body(_ count: Int) -> String {
      let rest = count - events(1)[0].utf8.count - 1
      let (lines, spaces) = rest.quotientAndRemainder(dividingBy: line.utf8.count)
      return String(repeating: line, count: lines) + String(repeating: " ", count: spaces) + "\n" + events(1)[0]
    }
    #expect(try send(body(1 << 20))["matched"] == 1)
    let before = try peakMemory()
    let answer = try send(body(limit))
    #expect(try answer["matched"] == 1)
    #expect(try answer["received"] == .number(JSONNumber((limit - line.utf8.count) / line.utf8.count + 1)))
    #expect(try peakMemory() - before < 4 << 20)
    #expect(try send(body(limit + 1)).status == 413)
    #expect(try record(of: "all") == ["alerts 1 for 2", "raised 1", "throttled 1"])
  }

  /// The most memory that the worker has had so far, in bytes.
  private func peakMemory() throws -> Int {
    let pid = try service.worker("process-event").program.pid
    let status = String(decoding: try File.read("/proc/\(pid)/status"), as: UTF8.self)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line.flatMap { Int($0.filter(\.isNumber)) } ?? 0) << 10
  }

  @Test("Plain CGI answers a batch as a worker does")
  func plainCGI() throws {
    try makePolicy("capped", #""max_alerts_per_hour":2"#)
    let bodies = [
      (events(50) + ["{"]).joined(separator: "\n"), "\n\n", "", "{\"type\":\"login\"}\n[]",
      "[" + events(3).joined(separator: ",") + ",5]", "[{\"type\":\"login\"}", "[]",
    ]
    for body in bodies {
      for type in ["application/x-ndjson", "application/json"] {
        try service.database.run("TRUNCATE alerts, alert_throttles")
        let answer = try send(body, type: type)
        try service.database.run("TRUNCATE alerts, alert_throttles")
        let same = try service.callCGI("POST", "/process-event", key: "ingest", type: type, body: body)
        #expect(same.status == answer.status)
        #expect(try withoutIDs(same) == withoutIDs(answer))
      }
    }
  }

  private func withoutIDs(_ answer: WebAnswer) throws -> String {
    answer.text.replacing(#/alert-[0-9a-f-]+/#, with: "")
  }

  /// Where a batch is cut off.
  enum Crash: CaseIterable {
    /// The worker is killed when half of the body has come.
    case workerReading
    /// The worker is killed while PostgreSQL is at the statement, which goes on: whether to its end depends on when it finds
    /// that nobody listens.
    case workerWaiting
    /// PostgreSQL's process is ended in the middle of the statement.
    case statement
  }

  @Test(
    "A crash in the middle leaves all of a batch or nothing of it, and sent again it raises nothing twice",
    arguments: Crash.allCases)
  func crash(_ crash: Crash) throws {
    try makePolicy("first", #""max_alerts_per_hour":1000"#)
    try makePolicy("last", #""throttle_minutes":60,"throttle_by":["user"]"#)
    _ = try send(events(1, id: "before")[0])
    let body = Array(events(300, users: 3, id: "batch").joined(separator: "\n").utf8)
    // The statement takes the locks of its keys in order, so that it is held up when it has written some rows already.
    let blocker = try service.database.connect()
    try blocker.run(script: "BEGIN; SELECT FROM alert_throttles WHERE policy_id = 'last' FOR UPDATE")
    let request = try service.begin(
      "POST", "/process-event", key: "ingest", type: "application/x-ndjson", body: body,
      bytes: crash == .workerReading ? body.count / 2 : .max)
    if crash != .workerReading { #expect(try poll { try waiting() == 1 }) }
    if crash == .statement {
      try service.database.run(
        """
        SELECT pg_terminate_backend(pid)
        FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
        """)
    }
    try service.kill("process-event")
    try blocker.run(script: "COMMIT")
    withExtendedLifetime(request) {}
    #expect(try poll { try working() == 0 })

    let record = try [record(of: "first"), record(of: "last")]
    let (nothing, all) = (["alerts 1 for 1", "raised 1"], ["alerts 3 for 301", "raised 3", "throttled 298"])
    let isThere = crash == .workerWaiting && record[0] != nothing
    #expect(record == (isThere ? [["alerts 301 for 301", "raised 301"], all] : [nothing, nothing]))
    let answer = try send(String(decoding: body, as: UTF8.self))
    #expect(try answer["message"] == .string("Event processed, \(isThere ? 0 : 302) alerts triggered"))
    #expect(try answer["triggered_total"] == 302)
    #expect(try self.record(of: "first") == ["alerts 301 for 301", "raised 301"])
    #expect(try self.record(of: "last") == all)
  }

  /// How many statements wait for a lock.
  private func waiting() throws -> Int { try sessions("wait_event_type = 'Lock'") }

  /// How many of the worker's statements are still run.
  private func working() throws -> Int { try sessions("state <> 'idle' AND pid <> pg_backend_pid()") }

  private func sessions(_ condition: String) throws -> Int {
    try service.database.texts(
      "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND \(condition)"
    ).count
  }
}
