import Glibc
import JSON
import TestSupport
import Testing

@Suite("process-event with Prefer: wait") struct PreferTests {
  let service: Service

  /// A policy for any event with a `user`, with two providers.
  init() throws {
    service = try Service()
    for id in ["hook", "pager"] {
      #expect(try service.call("POST", "/providers", body: Noun.all[2].document(id: id)).status == 201)
    }
    let body = """
      {"policy_id":"p","name":"p","message_template":"m","summary_template":"s","max_alerts_per_hour":0,
      "rules":[{"field":"user","operator":"exists","value":true}],"providers":["hook","pager"]}
      """
    #expect(try service.call("POST", "/policies", body: body).status == 201)
  }

  private func send(_ body: String, prefer: String?) throws -> WebAnswer {
    try service.call("POST", "/process-event", key: "ingest", prefer: prefer, body: body)
  }

  /// Has every delivery to a provider end a moment after it was written, as somebody who delivers would.
  private func settle(_ states: [String: String]) throws {
    for (provider, state) in states {
      try service.database.run(
        """
        CREATE FUNCTION settle_\(provider)() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
        BEGIN
          UPDATE alert_deliveries SET state = '\(state)' WHERE delivery_id = NEW.delivery_id;
          RETURN NULL;
        END $$;
        CREATE TRIGGER settle_\(provider) AFTER INSERT ON alert_deliveries FOR EACH ROW
        WHEN (NEW.provider_id = '\(provider)') EXECUTE FUNCTION settle_\(provider)();
        """)
    }
  }

  private func results(_ answer: WebAnswer) throws -> [JSONValue] {
    guard case .array(let alerts) = try answer["triggered_alerts"] else { return [] }
    return alerts.compactMap { $0.object?["delivery_results"] }
  }

  @Test(
    "The answer waits until the deliveries are settled and says what became of them, of a batch and of a repeat too")
  func settled() throws {
    try settle(["hook": "sent", "pager": "failed"])
    let result: JSONValue = ["hook": "sent", "pager": "failed"]
    let answer = try send(#"{"user":"a","event_id":"1"}"#, prefer: "respond-async, wait=20")
    #expect(answer.status == 200)
    #expect(answer.headers["preference-applied"] == "wait=20")
    #expect(try results(answer) == [result])
    let batch = try send(#"[{"user":"a"},{"x":1},{"user":"a","event_id":"1"}]"#, prefer: "wait=999999")
    #expect(batch.headers["preference-applied"] == "wait=30")
    #expect(try results(batch) == [result, result])
  }

  @Test("When the time is over, the answer says how far the deliveries are")
  func overdue() throws {
    try settle(["hook": "sent"])
    let answer = try send(#"{"user":"a"}"#, prefer: "wait=1")
    #expect(answer.status == 200)
    #expect(answer.headers["preference-applied"] == "wait=1")
    #expect(try results(answer) == [["hook": "sent", "pager": "pending"]])
  }

  @Test(
    "Without the preference, or with one that says nothing, the answer is quick", arguments: [nil, "wait", "wait=x"])
  func quick(prefer: String?) throws {
    let answer = try send(#"{"user":"a"}"#, prefer: prefer)
    #expect(answer.headers["preference-applied"] == nil)
    #expect(try results(answer) == [["hook": "pending", "pager": "pending"]])
  }

  @Test("Where nothing was raised there is nothing to wait for")
  func nothingRaised() throws {
    let answer = try send(#"{"x":1}"#, prefer: "wait=30")
    #expect(answer.headers["preference-applied"] == "wait=30")
    #expect(try results(answer) == [])
    #expect(try results(send(#"{"user":"a"}"#, prefer: "wait=0")) == [["hook": "pending", "pager": "pending"]])
  }

  /// Begins a request that would wait for half a minute, and answers when it does wait.
  private func beginWaiting(user: String) throws -> FastCGIConnection {
    let count = "SELECT count(*)::text FROM alert_deliveries"
    let before = try service.database.texts(count)
    let waiting = try service.begin(
      "POST", "/process-event", prefer: "wait=30", body: Array(#"{"user":"\#(user)"}"#.utf8))
    try #require(try poll { try service.database.texts(count) != before })
    return waiting
  }

  @Test("An answer that waits is cut short as soon as another request needs its worker")
  func notStarved() throws {
    let waiting = try beginWaiting(user: "a")
    let start = ContinuousClock.now
    #expect(try send(#"{"user":"b"}"#, prefer: nil).status == 200)
    let answer = try WebAnswer(cgi: waiting.output())
    #expect(ContinuousClock.now - start < .seconds(15))
    #expect(answer.status == 200)
    #expect(try results(answer) == [["hook": "pending", "pager": "pending"]])
  }

  @Test("An answer that waits goes on waiting where another worker is idle, which takes the next request at once")
  func idleWorker() throws {
    let idle = try Program(
      "process-event", environment: service.environment, input: .socket(service.worker("process-event").socket))
    // On a machine that is busy elsewhere an idle worker may be late, and then the other has to help: not each time.
    let outcomes = try (0..<5).map { round in
      let waiting = try beginWaiting(user: "a\(round)")
      let start = ContinuousClock.now
      #expect(try send(#"{"user":"b"}"#, prefer: nil).status == 200)
      #expect(ContinuousClock.now - start < .seconds(15))
      // Who was cut short has looked for the last time by now.
      usleep(200_000)
      try service.database.run("UPDATE alert_deliveries SET state = 'sent'")
      return try results(WebAnswer(cgi: waiting.output()))
    }
    #expect(outcomes.contains([["hook": "sent", "pager": "sent"]]))
    #expect(!idle.hasEnded)
  }

  @Test("What was admitted stays admitted where the database goes away while the answer waits")
  func databaseAway() throws {
    let first = try service.begin("POST", "/process-event", prefer: "wait=30", body: Array(#"{"user":"a"}"#.utf8))
    try #require(try poll { try service.call("GET", "/deliveries")["total"] == 2 })
    let name = try service.database.texts("SELECT current_database()::text")[0]
    try TestDatabase.interrupt(name) {
      let answer = try WebAnswer(cgi: first.output())
      #expect(answer.status == 200)
      #expect(try results(answer) == [["hook": "pending", "pager": "pending"]])
    }
    #expect(try service.worker("process-event").program.standardError.contains("what became of its deliveries"))
  }
}
