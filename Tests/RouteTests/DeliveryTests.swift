import JSON
import TestSupport
import Testing

@Suite("Deliveries") struct DeliveryTests {
  let service: Service

  /// Policies `a` and `b` for events whose `kind` is that, each with the providers `hook` and `pager`.
  init() throws {
    service = try Service()
    for id in ["hook", "pager"] {
      #expect(try service.call("POST", "/providers", body: Noun.all[2].document(id: id)).status == 201)
    }
    for id in ["a", "b"] {
      let body = """
        {"policy_id":"\(id)","name":"p","message_template":"m","summary_template":"s","max_alerts_per_hour":0,
        "rules":[{"field":"kind","operator":"eq","value":"\(id)"}],"providers":["hook","pager"]}
        """
      #expect(try service.call("POST", "/policies", body: body).status == 201)
    }
  }

  /// Raises an alert and gives its id.
  private func raise(_ kind: String = "a") throws -> String {
    let answer = try service.call("POST", "/process-event", body: "{\"kind\":\"\(kind)\"}")
    guard case .array(let alerts) = try answer["triggered_alerts"], let id = alerts.first?.object?["alert_id"]?.string
    else { throw SystemFailure("raise an alert: \(answer.text)", 0) }
    return id
  }

  /// The id of the delivery of an alert to a provider.
  private func delivery(of alert: String, to provider: String = "hook") throws -> String {
    try service.database.texts(
      "SELECT delivery_id::text FROM alert_deliveries WHERE alert_id = '\(alert)' AND provider_id = '\(provider)'")[0]
  }

  private func set(_ id: String, _ assignments: String) throws {
    try service.database.run("UPDATE alert_deliveries SET \(assignments) WHERE delivery_id = '\(id)'")
  }

  private func row(_ id: String, _ expression: String) throws -> String {
    try service.database.texts("SELECT (\(expression))::text FROM alert_deliveries WHERE delivery_id = '\(id)'")[0]
  }

  private func ids(in answer: WebAnswer) throws -> [String] {
    guard case .array(let deliveries) = try answer["deliveries"] else { throw SystemFailure("list: \(answer.text)", 0) }
    return deliveries.compactMap { $0.object?["delivery_id"]?.string }
  }

  @Test("A delivery shows how far it is, and every attempt with what came of it")
  func show() throws {
    let alert = try raise()
    let id = try delivery(of: alert)
    try set(id, "attempts = 2, last_status = 503, last_error = 'answered 503'")
    try service.database.run(
      """
      INSERT INTO alert_delivery_attempts
      VALUES
        ('default', '\(id)', 1, '2026-05-07T10:00:00Z', NULL, NULL, NULL, 'unknown', 'ended'),
        ('default', '\(id)', 2, '2026-05-07T10:03:00Z', '2026-05-07T10:03:00.1254Z', 503, 'busy "x"', 'retry', 'answered 503'),
        ('other', '\(id)', 3, '2026-05-07T10:03:00Z', '2026-05-07T10:03:01Z', 200, 'ok', 'sent', NULL)
      """)
    let shown = try service.call("GET", "/deliveries/\(id)", key: "viewer")
    #expect(shown.status == 200)
    let expected: JSONObject = [
      "delivery_id": .string(id), "alert_id": .string(alert), "provider_id": "hook", "event": "triggered",
      "state": "pending", "attempt_count": 2, "last_status": 503, "last_reason": "answered 503", "recipients": .null,
      "retried_at": .null, "tenant_id": "default",
      "attempts": [
        [
          "attempt": 1, "started_at": "2026-05-07T10:00:00.000000Z", "ended_at": .null, "latency_ms": .null,
          "status": .null, "answer": .null, "verdict": "unknown", "reason": "ended",
        ],
        [
          "attempt": 2, "started_at": "2026-05-07T10:03:00.000000Z", "ended_at": "2026-05-07T10:03:00.125400Z",
          "latency_ms": 125, "status": 503, "answer": "busy \"x\"", "verdict": "retry", "reason": "answered 503",
        ],
      ],
    ]
    for member in expected.members { #expect(try shown[member.key] == member.value, "\(member.key)") }
    #expect(try shown["next_attempt_at"] == shown["created_at"])
    try set(id, "state = 'sent'")
    #expect(try service.call("GET", "/deliveries/\(id)")["next_attempt_at"] == .null)
  }

  @Test(
    "What is no delivery of the tenant is 404",
    arguments: ["none", "00000000-0000-0000-0000-000000000000", "00000000-0000-0000-0000-00000000000x", "é"])
  func absent(id: String) throws {
    let path = id == "é" ? "%C3%A9" : id
    for answer in [
      try service.call("GET", "/deliveries/\(path)"), try service.call("POST", "/deliveries/\(path)/retry"),
    ] {
      #expect(answer.status == 404)
      #expect(try answer.detail.contains("\"\(id)\""))
    }
  }

  @Test("Another tenant's deliveries are nobody's business")
  func otherTenant() throws {
    let alert = try raise()
    let id = try delivery(of: alert)
    try set(id, "state = 'dead'")
    #expect(try service.call("GET", "/deliveries/\(id)", key: "elsewhere").status == 404)
    #expect(try service.call("POST", "/deliveries/\(id)/retry", key: "elsewhere").status == 404)
    for query in ["", "?state=dead", "?alert_id=\(alert)"] {
      #expect(try service.call("GET", "/deliveries\(query)", key: "elsewhere")["total"] == 0)
    }
    for body in ["{}", "{\"alert_id\":\"\(alert)\"}", #"{"states":["dead","skipped"]}"#] {
      #expect(try service.call("POST", "/deliveries/retry", key: "elsewhere", body: body)["retried"] == 0)
    }
    #expect(try row(id, "state") == "dead")
  }

  @Test("The list is newest first and narrows to an alert, a provider, a state and a time")
  func list() throws {
    let alerts = try (0..<3).map { _ in try raise() }
    let hooks = try alerts.map { try delivery(of: $0) }
    let pagers = try alerts.map { try delivery(of: $0, to: "pager") }
    for (index, id) in hooks.enumerated() {
      for id in [id, pagers[index]] { try set(id, "created_at = '2026-05-0\(index + 1)T00:00:00Z'") }
    }
    try set(hooks[0], "state = 'dead'")
    try set(pagers[1], "state = 'sent'")
    let pairs = (0..<3).map { [hooks[$0], pagers[$0]].sorted(by: >) }
    let all = pairs[2] + pairs[1] + pairs[0]
    for (query, expected) in [
      ("", all), ("?per_page=2", Array(all[..<2])), ("?per_page=4&page=2", Array(all[4...])),
      ("?provider_id=hook", [hooks[2], hooks[1], hooks[0]]), ("?alert_id=\(alerts[1])", pairs[1]),
      ("?state=dead", [hooks[0]]), ("?state=failed", []), ("?state=sent&provider_id=hook", []),
      ("?state=sent", [pagers[1]]), ("?alert_id=\(alerts[1])&state=pending", [hooks[1]]),
      ("?state=dead&from=2026-05-02T00:00:00Z", []), ("?from=2026-05-02T00:00:00Z", pairs[2] + pairs[1]),
      ("?to=2026-05-02T01:00:00%2B01:00", pairs[1] + pairs[0]),
      ("?from=2026-05-02T00:00:00Z&to=2026-05-02T00:00:00Z", pairs[1]),
      ("?alert_id=\(alerts[1])&from=2026-05-03T00:00:00Z", []), ("?provider_id=none", []),
    ] {
      let answer = try service.call("GET", "/deliveries\(query)", key: "viewer")
      #expect(answer.status == 200)
      #expect(try ids(in: answer) == expected, "\(query)")
    }
    #expect(try service.call("GET", "/deliveries?per_page=1&page=9")["total"] == 6)
    #expect(try !service.call("GET", "/deliveries").text.contains("\"attempts\""))
  }

  @Test("Of very many the newest hundred thousand are listed")
  func longList() throws {
    try service.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at)
      SELECT 'default', 'x', 'hook', 'sent', now(), timestamptz '2026-05-01' + number * interval '1 s'
      FROM generate_series(1, 100010) AS number
      """)
    let last = try service.call("GET", "/deliveries?per_page=100&page=1000")
    #expect(try last["total"] == 100_000)
    #expect(try last["total_is_exact"] == false)
    #expect(try ids(in: last).count == 100)
    #expect(last.text.contains("\"created_at\":\"2026-05-01T00:00:11.000000Z\""))
    #expect(try ids(in: service.call("GET", "/deliveries?per_page=100&page=1001")) == [])
    let ten = try service.call("GET", "/deliveries?to=2026-05-01T00:00:10Z")
    #expect(try ten["total"] == 10 && ten["total_is_exact"] == nil)
    let exactly = try service.call("GET", "/deliveries?from=2026-05-01T00:00:11Z&provider_id=hook")
    #expect(try exactly["total"] == 100_000 && exactly["total_is_exact"] == nil)
  }

  @Test("Roles: viewers read, operators retry")
  func permission() throws {
    let id = try delivery(of: raise())
    #expect(try service.call("GET", "/deliveries", key: "ingest").status == 403)
    for path in ["/deliveries/\(id)/retry", "/deliveries/retry"] {
      for key in ["viewer", "ingest"] {
        #expect(try service.call("POST", path, key: key, body: "{}").status == 403)
      }
      #expect(try service.call("POST", path, key: "operator", body: "{}").status == 200)
    }
  }

  @Test(
    "A delivery that was given up is due at once, and its schedule begins anew",
    arguments: ["failed", "dead", "skipped", "pending"])
  func retry(state: String) throws {
    let id = try delivery(of: raise())
    try set(
      id,
      """
      state = '\(state)', attempts = 7, recipients = '{a@example.com}', created_at = now() - interval '4 days',
      next_attempt_at = now() + interval '4 hours'
      """)
    let answer = try service.call("POST", "/deliveries/\(id)/retry", key: "operator", type: nil, body: "")
    #expect(answer.status == 200)
    #expect(try answer["state"] == "pending")
    #expect(try answer["attempt_count"] == 7)
    #expect(try answer["retried_at"] == answer["next_attempt_at"])
    #expect(try answer["recipients"] == ["a@example.com"])
    #expect(try service.call("GET", "/deliveries/\(id)").json == answer.json)
    #expect(try row(id, "attempts_before") == "7")
    let leased = try #require(
      try service.database.store().lease(limit: 10).first { $0.id == id })
    #expect(leased.attempt == 8 && leased.scheduledAttempt == 1 && leased.age < 60)
  }

  @Test("What was sent is sent once more only if that is said, and then to all")
  func again() throws {
    let id = try delivery(of: raise())
    try set(id, "state = 'sent', recipients = '{a@example.com}'")
    for body in ["", "{}", #"{"again":false}"#] {
      let refused = try service.call("POST", "/deliveries/\(id)/retry", body: body)
      #expect(refused.status == 409)
      #expect(try refused.detail.contains(#"{"again": true}"#))
    }
    #expect(try row(id, "state") == "sent")
    let answer = try service.call("POST", "/deliveries/\(id)/retry", body: #"{"again":true}"#)
    #expect(answer.status == 200)
    #expect(try answer["state"] == "pending")
    #expect(try answer["recipients"] == .null)
  }

  @Test("A delivery that is being attempted is left to its attempt")
  func underWay() throws {
    let id = try delivery(of: raise())
    try set(
      id, "leased_until = now() + interval '1 hour', lease_token = gen_random_uuid(), attempts = 1")
    let before = try row(id, "alert_deliveries")
    let answer = try service.call("POST", "/deliveries/\(id)/retry")
    #expect(answer.status == 200)
    #expect(try answer["state"] == "pending")
    let many = try service.call("POST", "/deliveries/retry", body: #"{"states":["pending"],"provider_id":"hook"}"#)
    #expect(try many["retried"] == 0)
    #expect(try many["left"] == 1)
    #expect(try row(id, "alert_deliveries") == before)
  }

  @Test("Nothing is tried afresh for a provider that is switched off or gone, and the answer says so")
  func providerAway() throws {
    let alert = try raise()
    let id = try delivery(of: alert)
    try set(id, "state = 'dead'")
    #expect(try service.call("PUT", "/providers/hook", body: #"{"enabled":false}"#).status == 200)
    let off = try service.call("POST", "/deliveries/\(id)/retry")
    #expect(off.status == 409)
    #expect(try off.detail.contains("\"hook\" is switched off"))
    #expect(try service.call("POST", "/deliveries/retry", body: "{}")["left"] == 1)
    try set(id, "event = 'test'")
    #expect(try service.call("POST", "/deliveries/\(id)/retry").status == 200)
    try set(id, "event = 'triggered', state = 'dead'")
    try service.database.run("DELETE FROM alert_providers WHERE provider_id = 'hook'")
    let gone = try service.call("POST", "/deliveries/\(id)/retry")
    #expect(gone.status == 409)
    #expect(try gone.detail.contains("\"hook\" was deleted"))
    #expect(try row(id, "state") == "dead")
  }

  @Test("A replay takes what fits its filter: by default whatever was given up")
  func replay() throws {
    let alerts = [try raise("a"), try raise("a"), try raise("b")]
    let hooks = try alerts.map { try delivery(of: $0) }
    let pagers = try alerts.map { try delivery(of: $0, to: "pager") }
    for (filter, expected) in [
      ("", [hooks[0], hooks[1], hooks[2]]), (#""provider_id":"pager""#, []),
      (#""states":["dead"]"#, [hooks[0], hooks[2]]),
      (#""states":["skipped"]"#, [pagers[0]]), (#""states":["sent"],"again":true"#, [pagers[1]]),
      (#""states":["pending","skipped"],"provider_id":"pager""#, [pagers[0], pagers[2]]),
      (#""policy_id":"a""#, [hooks[0], hooks[1]]), (#""policy_id":"none""#, []),
      ("\"alert_id\":\"\(alerts[2])\"", [hooks[2]]),
      (#""policy_id":"b","states":["dead","pending"]"#, [hooks[2], pagers[2]]),
      (#""from":"2026-05-02T00:00:00Z""#, [hooks[1], hooks[2]]),
      (#""to":"2026-05-02T00:00:00Z""#, [hooks[0], hooks[1]]),
      (#""from":"2026-05-02T00:00:00Z","to":"2026-05-02T00:00:00Z""#, [hooks[1]]),
    ] {
      for index in 0..<3 {
        let time = "created_at = '2026-05-0\(index + 1)T00:00:00Z', retried_at = NULL"
        try set(hooks[index], "\(time), state = '\(["dead", "failed", "dead"][index])'")
        try set(pagers[index], "\(time), state = '\(["skipped", "sent", "pending"][index])'")
      }
      let answer = try service.call("POST", "/deliveries/retry", key: "operator", body: "{\(filter)}")
      #expect(answer.status == 200, "\(filter): \(answer.text)")
      #expect(try answer["retried"] == .number(JSONNumber(expected.count)), "\(filter)")
      #expect(try answer["more"] == false)
      #expect(try answer["after"] == .null)
      let retried = try service.database.texts(
        """
        SELECT delivery_id::text FROM alert_deliveries
        WHERE retried_at IS NOT NULL AND state = 'pending' AND next_attempt_at <= now()
        """)
      #expect(Set(retried) == Set(expected), "\(filter)")
    }
  }

  @Test("With the trigger goes what was skipped for want of it, to the same provider", arguments: [true, false])
  func sequels(isReplay: Bool) throws {
    let alert = try raise()
    let id = try delivery(of: alert)
    try set(id, "state = 'dead'")
    try service.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at, created_at)
      SELECT 'default', '\(alert)', provider_id, event, state, now(), now() + interval '1 s'
      FROM unnest(ARRAY['hook', 'pager']) AS provider_id
      CROSS JOIN (VALUES ('acknowledged', 'sent'), ('resolved', 'skipped')) AS told (event, state)
      """)
    let answer =
      isReplay
      ? try service.call("POST", "/deliveries/retry", body: "{}") : try service.call("POST", "/deliveries/\(id)/retry")
    #expect(answer.status == 200)
    #expect(
      try service.database.texts(
        "SELECT concat_ws(' ', provider_id, event, state) FROM alert_deliveries WHERE event <> 'triggered' ORDER BY 1")
        == [
          "hook acknowledged sent", "hook resolved pending", "pager acknowledged sent", "pager resolved skipped",
        ])
  }

  @Test("A replay sends no old test again")
  func testsApart() throws {
    let id = try delivery(of: raise())
    try set(id, "state = 'failed', event = 'test', alert_id = NULL")
    let answer = try service.call("POST", "/deliveries/retry", body: #"{"provider_id":"hook"}"#)
    #expect(try answer["retried"] == 0 && answer["left"] == 0)
    #expect(try service.database.store().status().map(\.lostDeliveries).max() == 0)
    #expect(try service.call("POST", "/deliveries/\(id)/retry").status == 200)
  }

  @Test("A replay of very many goes on where the one before it ended, and takes each once")
  func manyReplays() throws {
    try service.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at)
      SELECT 'default', 'x', 'hook', 'sent', now(), now() - number % 5 * interval '1 hour'
      FROM generate_series(1, 2500) AS number
      """)
    var body = #"{"states":["sent","pending"],"again":true"#
    for (retried, more) in [(1000, true), (1000, true), (500, false)] {
      let answer = try service.call("POST", "/deliveries/retry", body: body + "}")
      #expect(try answer["retried"] == .number(JSONNumber(retried)))
      #expect(try answer["more"] == .bool(more))
      let after = try answer["after"]?.string
      #expect((after != nil) == more)
      body = #"{"states":["sent","pending"],"again":true,"after":"\#(after ?? "")""#
    }
    #expect(
      try service.database.texts("SELECT count(*)::text FROM alert_deliveries WHERE state = 'pending'") == ["2500"])
  }

  @Test("A replay of which little fits is bounded by what it looks at, and goes on behind that")
  func sparseReplay() throws {
    try service.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at)
      SELECT 'default', 'x', 'hook', 'dead', now(), now() - interval '1 hour'
      FROM generate_series(1, 12000) AS number
      """)
    let id = try delivery(of: raise("b"))
    try set(id, "state = 'dead'")
    let first = try service.call("POST", "/deliveries/retry", body: #"{"policy_id":"b"}"#)
    #expect(try first["retried"] == 0)
    #expect(try first["more"] == true)
    let after = try #require(try first["after"]?.string)
    let second = try service.call("POST", "/deliveries/retry", body: #"{"policy_id":"b","after":"\#(after)"}"#)
    #expect(try second["retried"] == 1)
    #expect(try second["more"] == false)
  }

  @Test(
    "A retry that says something impossible is told what, and changes nothing",
    arguments: [
      ("retry", "[]", 422, ""), ("retry", "", 400, nil), ("retry", "{", 400, nil),
      ("retry", #"{"provider_id":5}"#, 422, "/provider_id"),
      ("retry", #"{"provider_id":"a\u0000"}"#, 422, "/provider_id"),
      ("retry", #"{"alert_id":"a b"}"#, 422, "/alert_id"), ("retry", #"{"policy_id":""}"#, 422, "/policy_id"),
      ("retry", #"{"states":[]}"#, 422, "/states"), ("retry", #"{"states":"dead"}"#, 422, "/states"),
      ("retry", #"{"states":["dead","lost"]}"#, 422, "/states/1"), ("retry", #"{"states":["sent"]}"#, 422, "/states"),
      ("retry", #"{"from":"yesterday"}"#, 422, "/from"),
      ("retry", #"{"from":"2026-05-02T00:00:00Z","to":"2026-05-01T00:00:00Z"}"#, 422, "/to"),
      ("retry", #"{"after":"x"}"#, 422, "/after"),
      ("retry", #"{"after":"00000000-0000-0000-0000-000000000000"}"#, 422, "/after"),
      ("retry", #"{"again":1}"#, 422, "/again"), ("retry", #"{"provider":"hook"}"#, 422, "/provider"),
      ("ID/retry", #"{"again":"yes"}"#, 422, "/again"), ("ID/retry", #"{"force":true}"#, 422, "/force"),
      ("ID/retry", "[true]", 422, ""), ("ID/retry", "again", 400, nil),
    ] as [(String, String, Int, String?)])
  func impossible(path: String, body: String, status: Int, pointer: String?) throws {
    let id = try delivery(of: raise())
    try set(id, "state = 'dead'")
    let answer = try service.call("POST", "/deliveries/" + path.replacing("ID", with: id), body: body)
    #expect(answer.status == status)
    #expect(try answer.detail.hasSuffix("."))
    #expect(try answer.pointers == [pointer].compactMap { $0 })
    #expect(try row(id, "state") == "dead")
  }

  @Test("A retry rings the bell of those who deliver")
  func bell() throws {
    let id = try delivery(of: raise())
    let bell = try #require(try service.database.store().deliveryBell())
    for (path, body) in [("\(id)/retry", ""), ("retry", #"{"states":["pending"]}"#)] {
      #expect(try !bell.waitForNotification(seconds: 0))
      #expect(try service.call("POST", "/deliveries/\(path)", body: body).status == 200)
      #expect(try bell.waitForNotification(seconds: 60))
    }
  }
}
