import JSON
import TestSupport
import Testing

@Suite("Alerts") struct AlertTests {
  let service: Service

  /// Policies `low` and `high` for events whose `kind` is that, the first with a provider.
  init() throws {
    service = try Service()
    #expect(try service.call("POST", "/providers", body: Noun.all[2].document(id: "hook")).status == 201)
    for (severity, providers) in [("low", "[\"hook\"]"), ("high", "[]")] {
      let body = """
        {"policy_id":"\(severity)","name":"p","severity":"\(severity)","message_template":"{who} did it",
        "summary_template":"{kind}","rules":[{"field":"kind","operator":"eq","value":"\(severity)"}],
        "providers":\(providers),"max_alerts_per_hour":0}
        """
      #expect(try service.call("POST", "/policies", body: body).status == 201)
    }
  }

  /// Raises an alert and gives its id.
  private func raise(_ event: String, tenantKey: String = "ingest") throws -> String {
    let answer = try service.call("POST", "/process-event", key: tenantKey, body: event)
    guard case .array(let alerts) = try answer["triggered_alerts"], let id = alerts.first?.object?["alert_id"]?.string
    else { throw SystemFailure("raise an alert with \(event): \(answer.text)", 0) }
    return id
  }

  @Test("An alert shows all that the contract says, its event to the letter")
  func show() throws {
    let event = #"{"kind":"low", "who":"Zoë","n":1.50,"n":2,"id":"\u0000"}"#
    let id = try raise(event)
    let alert = try service.call("GET", "/alerts/\(id)", key: "viewer")
    #expect(alert.status == 200)
    #expect(alert.text.contains("\"event_data\":" + event))
    let expected: JSONObject = [
      "alert_id": .string(id), "policy_id": "low", "severity": "low", "status": "active", "title": "Zoë did it",
      "message": "Zoë did it", "summary": "low", "event_id": .null, "event_count": 1, "acknowledged_at": .null,
      "acknowledged_by": .null, "resolved_at": .null, "resolved_by": .null, "tenant_id": "default",
      "delivery_status": ["hook": "pending"],
    ]
    for member in expected.members { #expect(try alert[member.key] == member.value, "\(member.key)") }
    for member in ["triggered_at", "created_at", "updated_at", "last_event_at"] {
      #expect(try alert[member]?.string?.hasSuffix("Z") == true)
    }
  }

  @Test("Acknowledging and resolving say who and when, and twice is as good as once")
  func acknowledgeAndResolve() throws {
    let id = try raise(#"{"kind":"low"}"#)
    let acknowledged = try service.call("PUT", "/alerts/\(id)/acknowledge", key: "operator", body: "")
    #expect(acknowledged.status == 200)
    #expect(try acknowledged["status"] == "acknowledged")
    #expect(try acknowledged["acknowledged_by"]?.string?.hasPrefix("key-") == true)
    let again = try service.call("PUT", "/alerts/\(id)/acknowledge", key: "admin", body: "{}")
    #expect(again.status == 200)
    #expect(try again.json == acknowledged.json)
    let resolved = try service.call("PUT", "/alerts/\(id)/resolve", key: "operator", type: nil, body: "")
    #expect(resolved.status == 200)
    #expect(try resolved["status"] == "resolved")
    #expect(try resolved["acknowledged_at"] == acknowledged["acknowledged_at"])
    #expect(try service.call("PUT", "/alerts/\(id)/resolve", key: "admin").json == resolved.json)
    let late = try service.call("PUT", "/alerts/\(id)/acknowledge")
    #expect(late.status == 409)
    #expect(try late.detail.contains("resolved"))
    #expect(try service.call("GET", "/alerts/\(id)").json == resolved.json)
  }

  @Test(
    "Only those who may can acknowledge and resolve, and only what is there", arguments: ["acknowledge", "resolve"])
  func permission(action: String) throws {
    let id = try raise(#"{"kind":"low"}"#)
    for key in ["viewer", "ingest"] {
      #expect(try service.call("PUT", "/alerts/\(id)/\(action)", key: key).status == 403)
    }
    #expect(try service.call("PUT", "/alerts/\(id)/\(action)", key: "elsewhere").status == 404)
    #expect(try service.call("PUT", "/alerts/none/\(action)").status == 404)
    #expect(try service.call("GET", "/alerts/\(id)", key: "elsewhere").status == 404)
    #expect(try service.call("GET", "/alerts/\(id)")["status"] == "active")
  }

  @Test("The list is newest first and narrows to a policy, a severity, a status and a time")
  func list() throws {
    let ids = try (0..<3).map { try raise("{\"kind\":\"\($0 == 1 ? "high" : "low")\"}") }
    #expect(try service.call("PUT", "/alerts/\(ids[0])/resolve").status == 200)
    let time = try #require(try service.call("GET", "/alerts/\(ids[1])")["triggered_at"]?.string)
    for (query, expected) in [
      ("", [2, 1, 0]), ("?per_page=2", [2, 1]), ("?per_page=2&page=2", [0]), ("?policy_id=low", [2, 0]),
      ("?severity=high", [1]), ("?status=active", [2, 1]), ("?status=resolved&severity=low", [0]),
      ("?start_time=\(time)", [2, 1]), ("?end_time=\(time)", [1, 0]), ("?start_time=\(time)&end_time=\(time)", [1]),
      ("?start_time=2020-01-01T00:00:00+02:00", [2, 1, 0]), ("?policy_id=none", []),
    ] {
      let answer = try service.call("GET", "/alerts\(query)", key: "viewer")
      guard case .array(let alerts) = try answer["alerts"] else { throw SystemFailure("list \(query)", 0) }
      #expect(alerts.compactMap { $0.object?["alert_id"]?.string } == expected.map { ids[$0] }, "\(query)")
    }
    #expect(try service.call("GET", "/alerts", key: "elsewhere")["total"] == 0)
    #expect(try service.call("GET", "/alerts?per_page=1")["total"] == 3)
  }

  @Test("The delivery status tells of the alert being raised, whatever else is told of it")
  func deliveryStatus() throws {
    let event = #"{"kind":"low","event_id":"1"}"#
    let id = try raise(event)
    try service.database.run(
      """
      UPDATE alert_deliveries SET state = 'sent';
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, event, state, next_attempt_at)
      SELECT tenant_id, alert_id, provider_id, other.event, 'failed', now()
      FROM alert_deliveries CROSS JOIN unnest(ARRAY['acknowledged', 'resolved']) AS other (event)
      """)
    #expect(try service.call("GET", "/alerts/\(id)")["delivery_status"] == ["hook": "sent"])
    let repeated = try service.call("POST", "/process-event", body: event)
    #expect(repeated.text.contains(#""delivery_results":{"hook":"sent"},"duplicate":true"#))
  }

  @Test("Alerts outlive their policy")
  func deletedPolicy() throws {
    let id = try raise(#"{"kind":"low"}"#)
    #expect(try service.call("DELETE", "/policies/low").status == 204)
    #expect(try service.call("GET", "/alerts/\(id)").status == 200)
    #expect(try service.call("GET", "/alerts?policy_id=low")["total"] == 1)
  }
}
