import Foundation
import JSON
import Spool
import Store
import TestSupport
import Testing

/// Events that come while their worker waits for the database: it takes them together when it is free again.
@Suite("Events that wait for a busy worker") struct JointAdmissionTests {
  private let service: Service
  private let folder: TemporaryFolder

  init() throws {
    service = try Service()
    folder = try TemporaryFolder()
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
    service.settings["ALERTING_SPOOL_RESERVE"] = "0"
    // An alert that is called so is held up, refused, or costs the connection.
    try service.database.run(
      """
      CREATE FUNCTION act_by_title() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        IF NEW.title = 'hold' THEN PERFORM pg_advisory_xact_lock_shared(1); END IF;
        IF NEW.title = 'refuse' THEN RAISE EXCEPTION 'refused'; END IF;
        IF NEW.title = 'break' THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NEW;
      END
      $$;
      CREATE TRIGGER act_by_title BEFORE INSERT ON alerts FOR EACH ROW EXECUTE FUNCTION act_by_title()
      """)
    try makePolicy()
    try #require(service.call("POST", "/process-event", key: "ingest", body: login("hold")).status == 200)
  }

  private func makePolicy(
    _ members: String = #""max_alerts_per_hour":0"#,
    rule: String = #"{"field":"type","operator":"eq","value":"login"}"#
  ) throws {
    let document = """
      {"name":"Logins","rules":[\(rule)],
      "message_template":"{user}","summary_template":"s","providers":[],\(members)}
      """
    let (create, change) = (#"{"policy_id":"logins","# + document.dropFirst(), document)
    if try service.call("POST", "/policies", body: create).status == 201 { return }
    try #require(service.call("PUT", "/policies/logins", body: change).status == 200)
  }

  private func login(_ user: String, id: String? = nil) -> String {
    #"{"type":"login","user":"\#(user)"\#(id.map { #","event_id":"\#($0)""# } ?? "")}"#
  }

  /// The answers to bodies that come while the worker waits, and what else happens meanwhile.
  private func answers(
    to bodies: [String], keys: [String] = [], meanwhile: () throws -> Void = {}
  ) throws -> [WebAnswer] {
    let lock = try service.database.connect()
    try lock.run(script: "BEGIN; SELECT pg_advisory_xact_lock(1)")
    func send(_ body: String, key: String = "ingest") throws -> FastCGIConnection {
      try service.begin("POST", "/process-event", key: key, body: Array(body.utf8))
    }
    let busy = try send(login("hold"))
    let waits = "SELECT 'so' FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
    try #require(poll(within: 30) { try !service.database.texts(waits).isEmpty })
    let waiting = try bodies.enumerated().map { try send($1, key: keys.isEmpty ? "ingest" : keys[$0]) }
    try meanwhile()
    try lock.run(script: "COMMIT")
    _ = try busy.output()
    return try waiting.map { try WebAnswer(cgi: $0.output()) }
  }

  /// The alerts beside those that hold up, by title, with the number of the transaction that each was raised in.
  private func alerts() throws -> [(title: String, transaction: String)] {
    try service.database.texts(
      "SELECT title || '/' || xmin::text FROM alerts WHERE title <> 'hold' ORDER BY triggered_at, title, alert_id"
    ).map { text in
      let parts = text.split(separator: "/")
      return (String(parts[0]), String(parts[1]))
    }
  }

  private func raised(_ answer: WebAnswer) throws -> [String] {
    guard case .array(let alerts) = try answer["triggered_alerts"] else { return [] }
    return alerts.compactMap { $0.object?["title"]?.string }
  }

  @Test("They are admitted in one transaction, and each gets the answer that it would have got alone")
  func together() throws {
    let answers = try answers(
      to: [login("a"), #"{"type":"logout"}"#, login("b"), "[\(login("c")),\(login("d"))]", login("e"), "{"])
    #expect(answers.map(\.status) == [200, 200, 200, 200, 200, 400])
    #expect(try answers.map(raised) == [["a"], [], ["b"], ["c", "d"], ["e"], []])
    #expect(try answers[3]["matched"] == 2)
    let alerts = try alerts()
    #expect(alerts.map(\.title) == ["a", "b", "c", "d", "e"])
    #expect(Set(alerts.map(\.transaction)).count == 1)
    // Each that had something to be admitted leaves a mark of its own.
    let marks = "SELECT count(*)::text FROM alert_admission_marks GROUP BY marked_at"
    #expect(try service.database.texts(marks) == ["4"])
  }

  @Test("A cap holds for all of them")
  func cap() throws {
    try service.database.avoidEnd(of: "hour", seconds: 20)
    try makePolicy(#""max_alerts_per_hour":3,"throttle_by":["user"]"#)
    let answers = try answers(to: Array(repeating: login("a"), count: 5))
    #expect(try answers.map(raised) == [["a"], ["a"], ["a"], [], []])
    #expect(try alerts().count == 3)
    let counts = "SELECT decision || ' ' || sum(events) FROM alert_decision_counts GROUP BY decision ORDER BY 1"
    #expect(try service.database.texts(counts) == ["capped 2", "raised 5"])
  }

  @Test("The same event raises once, and is called a repeat the second time")
  func repeated() throws {
    let answers = try answers(to: [login("a", id: "1"), login("b", id: "2"), login("a", id: "1")])
    #expect(try answers.map(raised) == [["a"], ["b"], ["a"]])
    #expect(answers.map { $0.text.contains(#""duplicate":true"#) } == [false, false, true])
    #expect(try alerts().map(\.title) == ["a", "b"])
  }

  @Test("What the database refuses of one costs the others nothing")
  func refused() throws {
    let answers = try answers(to: [login("a"), login("refuse"), login("b")])
    #expect(answers.map(\.status) == [200, 500, 200])
    #expect(try alerts().map(\.title) == ["a", "b"])
  }

  @Test("A key that is revoked meanwhile lets none of them in")
  func revoked() throws {
    let answers = try answers(to: [login("a"), login("b")]) {
      try service.database.run("UPDATE api_keys SET revoked_at = now() WHERE name = 'ingest'")
    }
    #expect(answers.map(\.status) == [401, 401])
    #expect(try alerts().isEmpty)
  }

  @Test("A policy that is changed meanwhile decides by what it says now, whatever each matched before")
  func changed() throws {
    let bodies = [login("a"), login("b"), #"{"type":"logout","user":"b"}"#, login("b")]
    let answers = try answers(to: bodies) {
      try makePolicy(
        #""severity":"low","max_alerts_per_hour":0"#, rule: #"{"field":"user","operator":"eq","value":"b"}"#)
    }
    #expect(answers.map(\.status) == [200, 200, 200, 200])
    #expect(try answers.map(raised) == [[], ["b"], ["b"], ["b"]])
    #expect(try service.database.texts("SELECT DISTINCT severity FROM alerts WHERE title = 'b'") == ["low"])
  }

  /// The most that is admitted together with others is 64 of them.
  private func many(_ user: String) -> [String] { Array(repeating: login(user), count: 100) }

  @Test("One that matches so much that it is admitted by itself comes when those before it have their answers")
  func heavy() throws {
    let answers = try answers(to: [login("a"), "[\(many("b").joined(separator: ","))]", login("c")])
    #expect(answers.map(\.status) == [200, 200, 200])
    #expect(try answers.map { try raised($0).count } == [1, 100, 1])
    let alerts = try alerts()
    #expect(alerts.map(\.title) == ["a"] + Array(repeating: "b", count: 100) + ["c"])
    #expect(Set(alerts.map(\.transaction)).count == 3)
  }

  @Test("One that is admitted by itself and loses the connection is no hindrance to the others")
  func heavyLost() throws {
    let lost = "[\((many("b") + [login("break")]).joined(separator: ","))]"
    let answers = try answers(to: [login("a"), lost, login("c"), login("d")])
    #expect(answers.map(\.status) == [200, 202, 200, 200])
    #expect(try alerts().map(\.title) == ["a", "c", "d"])
    #expect(try attempts().count == 1)
  }

  @Test("Calls with another key do not join, and get answers of their own")
  func otherKey() throws {
    let answers = try answers(
      to: ["a", "b", "c", "d"].map { login($0) }, keys: ["ingest", "ingest", "admin", "ingest"])
    #expect(answers.map(\.status) == [200, 200, 200, 200])
    #expect(try answers.map(raised) == [["a"], ["b"], ["c"], ["d"]])
    let alerts = try alerts()
    #expect(alerts.map(\.title) == ["a", "b", "c", "d"])
    #expect(alerts[0].transaction == alerts[1].transaction)
    #expect(Set(alerts.map(\.transaction)).count == 3)
  }

  @Test(
    "Where the connection is lost under them, each is kept, with a mark of its own if it had something to be admitted")
  func lost() throws {
    let answers = try answers(to: [login("a"), login("break"), #"{"type":"logout"}"#, login("b")])
    #expect(answers.map(\.status) == [202, 202, 202, 202])
    #expect(try alerts().isEmpty)
    let attempts = try attempts()
    #expect(attempts.count == 4)
    let producers = try attempts.compactMap { $0 }.map { try AdmissionMark($0).text.prefix { $0 != "/" } }
    #expect(producers.count == 3 && Set(producers).count == 3)
  }

  /// The marks of the attempts that were made of what is kept.
  private func attempts() throws -> [String?] {
    let spool = try #require(try Spool(SpoolFolder(folder.path + "/spool", reserve: 0)))
    var attempts: [String?] = []
    for name in try spool.sealed(sealingMore: true) {
      let reader = try spool.open(name)
      while case .body(let body)? = try reader.next()?.entry { attempts.append(body.attempt) }
    }
    return attempts
  }
}
