import JSON
import Postgres
import Store
import TestSupport
import Testing

@Suite("The audit log") struct AuditLogTests {
  let service: Service

  init() throws { service = try Service() }

  /// The entries that a query finds, newest first.
  private func entries(_ query: String = "", key: String = "admin") throws -> [JSONObject] {
    let answer = try service.call("GET", "/audit-log?per_page=100&\(query)", key: key)
    #expect(answer.status == 200)
    guard case .array(let entries) = try answer["entries"] else { return [] }
    return entries.compactMap(\.object)
  }

  private func keyID(of name: String) throws -> String {
    try #require(try service.database.texts("SELECT key_id FROM api_keys WHERE name = '\(name)'").first)
  }

  @Test("Each change of a record is an entry with who, from where, before and after", arguments: Noun.all)
  func records(noun: Noun) throws {
    let kind = String(noun.id.dropLast(3))
    #expect(try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x")).status == 201)
    #expect(try service.call("PUT", "/\(noun.plural)/x", key: noun.allowed, body: noun.change).status == 200)
    #expect(try service.call("DELETE", "/\(noun.plural)/x", body: noun.change).status == 204)
    let entries = try entries("kind=\(kind)")
    #expect(entries.map { $0["action"] } == ["delete", "update", "create"])
    #expect(entries.allSatisfy { $0["id"] == "x" && $0["actor_type"] == "key" && $0["address"] == "192.0.2.1" })
    let (admin, changer) = (try keyID(of: "admin"), try keyID(of: noun.allowed))
    #expect(entries.map { $0["actor"]?.string } == [admin, changer, admin])
    try #require(entries.count == 3)
    #expect(entries[2]["before"] == .null)
    #expect(entries[1]["before"] == entries[2]["after"])
    #expect(entries[0]["before"] == entries[1]["after"])
    #expect(entries[0]["after"] == .null)
    #expect(entries[1]["before"] != entries[1]["after"])
  }

  @Test("A change that is refused or fails leaves no entry of a change")
  func noChange() throws {
    let noun = Noun.all[1]
    #expect(try service.call("POST", "/rules", body: noun.document(id: "x")).status == 201)
    let before = try entries("kind=rule")
    #expect(try service.call("POST", "/rules", body: noun.document(id: "x")).status == 409)
    #expect(try service.call("PUT", "/rules/x", body: #"{"field":[]}"#).status == 422)
    #expect(try service.call("DELETE", "/rules/none").status == 404)
    #expect(try entries("kind=rule") == before)
  }

  @Test("The secrets of a provider are in no entry, however they are changed")
  func secrets() throws {
    let configs = [
      #"{"provider_type":"pagerduty","config":{"api_key":"PLANTED1"}}"#,
      #"{"provider_type":"slack","config":{"webhook_url":"https://hooks.slack.com/PLANTED2"}}"#,
      """
      {"provider_type":"webhook","config":{"url":"https://example.com","headers":{"X-Key":"PLANTED3"},
      "signing_secret":"whsec_UExBTlRFRFBMQU5URURQTEFOVEVEUExB","previous_signing_secret":"whsec_UExBTlRFRFBMQU5URURQTEFOVEVEUExC"}}
      """,
      """
      {"provider_type":"email","config":{"smtp_host":"mail.example.com","smtp_port":587,"smtp_username":"u",
      "smtp_password":"PLANTED4","from_email":"a@example.com","to_emails":["b@example.com"]}}
      """,
    ]
    for config in configs {
      let created = try service.call(
        "POST", "/providers", body: #"{"provider_id":"p","name":"n\\u0000","# + config.dropFirst())
      #expect(created.status == 201, "\(String(decoding: created.body, as: UTF8.self))")
      #expect(try service.call("PUT", "/providers/p", body: #"{"enabled":false}"#).status == 200)
      #expect(try service.call("DELETE", "/providers/p").status == 204)
    }
    let texts = try service.database.texts("SELECT audit_log::text FROM audit_log")
    #expect(texts.count >= 12)
    #expect(texts.filter { $0.contains("PLANTED") || $0.contains("UExBTlRFRF") } == [])
    let shown = try entries("kind=provider&action=create").compactMap { $0["after"]?.object?["config"]?.object }
    try #require(shown.count == 4)
    #expect(shown.last?["api_key"] == "********")
    #expect(shown[1]["headers"] == ["X-Key": "********"])
  }

  @Test("Acknowledging, resolving, retrying and testing are entries; what was done already is none")
  func handling() throws {
    try service.database.run(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES ('default', 'w', 'w', 'webhook', true, '{"url": "https://example.com"}', 'k');
      INSERT INTO alerts (
        tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key,
        triggered_at, updated_at
      )
      VALUES ('default', 'a', 'p', 'high', 'active', 't', 'm', 's', '{}', '[]', now(), now());
      INSERT INTO alert_deliveries (tenant_id, delivery_id, alert_id, provider_id, state, next_attempt_at)
      VALUES ('default', '00000000-0000-0000-0000-000000000001', 'a', 'w', 'dead', now());
      """)
    for _ in 0..<2 {
      #expect(try service.call("PUT", "/alerts/a/acknowledge", key: "operator").status == 200)
    }
    for _ in 0..<2 { #expect(try service.call("PUT", "/alerts/a/resolve").status == 200) }
    #expect(try service.call("POST", "/deliveries/retry", body: "{}")["retried"] == 1)
    #expect(
      try service.call("POST", "/deliveries/00000000-0000-0000-0000-000000000001/retry", key: "operator").status == 200)
    let test = try service.begin("POST", "/providers/w/test")
    _ = try service.call("GET", "/providers/w", key: "viewer")
    _ = try test.output()
    let entries = try entries("actor=" + keyID(of: "admin")) + entries("actor=" + keyID(of: "operator"))
    #expect(entries.allSatisfy { $0["actor_type"] == "key" })
    let done = entries.map { [$0["kind"], $0["action"], $0["id"]].map { $0?.string ?? "" } }
    let delivery = "00000000-0000-0000-0000-000000000001"
    #expect(
      done == [
        ["provider", "test", "w"], ["delivery", "retry", delivery], ["alert", "resolve", "a"],
        ["delivery", "retry", delivery], ["alert", "acknowledge", "a"],
      ])
    try #require(entries.count == 5)
    #expect(entries[4]["before"]?.object?["status"] == "active")
    #expect(entries[4]["after"]?.object?["status"] == "acknowledged")
  }

  @Test("Events and what they raise are no entries")
  func events() throws {
    let policy = Noun.all[0].document(id: "p")
    #expect(try service.call("POST", "/policies", body: policy).status == 201)
    let before = try service.database.texts("SELECT count(*)::text FROM audit_log")
    #expect(try service.call("POST", "/process-event", key: "ingest", body: #"{"a": 1}"#).status == 200)
    #expect(try service.database.texts("SELECT alert_id FROM alerts").count == 1)
    #expect(try service.database.texts("SELECT count(*)::text FROM audit_log") == before)
  }

  @Test("A call that a role or tenant forbids is an entry of the key's tenant, one without a known key of none")
  func refusals() throws {
    try service.database.avoidEnd(of: "minute", seconds: 10)
    #expect(try service.call("POST", "/rules", key: "viewer", body: "{}").status == 403)
    #expect(try service.call("GET", "/rules?tenant_id=other", key: "viewer").status == 403)
    #expect(try service.call("GET", "/policies/x?a=b", key: "SECRET-KEY").status == 401)
    let refused = try entries("action=refuse")
    #expect(refused.map { $0["id"] } == ["POST /api/v1/alerts/rules"])
    #expect(try refused.first?["actor"]?.string == keyID(of: "viewer"))
    #expect(refused.first?["after"] == ["status": 403])
    let unknown = "SELECT concat_ws(' ', actor_type, actor, address, id) FROM audit_log WHERE tenant_id = ''"
    #expect(try service.database.texts(unknown) == ["unknown 192.0.2.1 GET /api/v1/alerts/policies/x"])
    #expect(try service.database.texts("SELECT 'found' FROM audit_log WHERE audit_log::text LIKE '%SECRET-KEY%'") == [])
  }

  @Test("A key that somebody takes for its id, and puts in a path, is not in the entry of the refusal")
  func keyInPath() throws {
    let key = KeyForm.make()
    #expect(try service.call("DELETE", "/keys/\(key)", key: "viewer").status == 403)
    #expect(try service.call("GET", "/keys/\(key)/\(key)x", key: "wrong").status == 404)
    #expect(try service.call("GET", "/keys/\(key)", key: "wrong").status == 401)
    let calls = try service.database.texts("SELECT id FROM audit_log WHERE action = 'refuse' ORDER BY id")
    let path = "/api/v1/alerts/keys/tocsin_********"
    #expect(calls == ["DELETE \(path)", "GET \(path)"])
  }

  @Test("A key that has expired, or comes from elsewhere, is told by its id")
  func refusedKeys() throws {
    try service.database.run(
      """
      UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE name = 'viewer';
      UPDATE api_keys SET allowed_cidrs = '{10.0.0.0/8}' WHERE name = 'operator';
      """)
    #expect(try service.call("GET", "/rules", key: "viewer").status == 401)
    #expect(try service.call("GET", "/rules", key: "operator").status == 403)
    #expect(try service.call("GET", "/rules", key: "wrong").status == 401)
    let refused = try entries("action=refuse")
    #expect(try refused.map { $0["actor"]?.string } == [keyID(of: "operator"), keyID(of: "viewer")])
    #expect(try service.database.texts("SELECT id FROM audit_log WHERE tenant_id = ''").count == 1)
  }

  @Test("A flood of refused calls is counted by the minute")
  func flood() throws {
    for _ in 0..<30 { #expect(try service.call("GET", "/rules", key: "wrong").status == 401) }
    let store = service.database.store()
    try service.database.run("UPDATE audit_refusals SET minute = minute - interval '1 hour'")
    _ = try store.foldRefusals()
    let calls = """
      SELECT sum(coalesce((after ->> 'calls')::bigint, 1))::text FROM audit_log WHERE tenant_id = '' AND action = 'refuse'
      """
    #expect(try service.database.texts(calls) == ["30"])
    #expect(try service.database.texts("SELECT address FROM audit_log WHERE tenant_id = ''").count <= 4)
    #expect(try service.database.texts("SELECT address FROM audit_refusals") == [])
  }

  @Test("Of callers from more addresses than 20 a minute all others are one")
  func manyAddresses() throws {
    try service.database.run(
      """
      SELECT
        set_config('tocsin.tenant', '', false), set_config('tocsin.actor_type', 'unknown', false),
        set_config('tocsin.actor', '', false), set_config('tocsin.address', '2001:db8::' || number, false),
        audit_refuse('', 'GET /', 401)
      FROM generate_series(1, 500) AS number
      """)
    let counts = try service.database.texts("SELECT max(calls)::text || '/' || count(*) FROM audit_refusals")
    #expect(counts == ["480/21"])
    #expect(try service.database.texts("SELECT id FROM audit_log WHERE tenant_id = ''").count == 21)
  }

  @Test("Only an admin reads the log, of the own tenant alone")
  func permission() throws {
    for key in ["ingest", "viewer", "operator"] {
      #expect(try service.call("GET", "/audit-log", key: key).status == 403)
    }
    #expect(try entries("kind=key").count == 4)
    #expect(try entries("kind=key", key: "elsewhere").map { $0["tenant_id"] } == ["other"])
    #expect(try service.call("DELETE", "/audit-log").status == 405)
  }

  @Test("The log is narrowed by actor, action, kind, id and time, and walked by pages or by number")
  func filters() throws {
    for id in ["a", "b", "c"] {
      #expect(try service.call("POST", "/rules", body: Noun.all[1].document(id: id)).status == 201)
    }
    let all = try entries("kind=rule")
    try #require(all.map { $0["id"] } == ["c", "b", "a"])
    #expect(try entries("kind=rule&id=b") == [all[1]])
    #expect(try entries("action=update") == [])
    #expect(try entries("kind=rule&actor=nobody") == [])
    let time = try #require(all[1]["at"]?.string)
    #expect(try entries("kind=rule&from=\(time)") == Array(all[..<2]))
    #expect(try entries("kind=rule&to=\(time)") == Array(all[1...]))
    #expect(try entries("kind=rule&from=\(time)&to=\(time)") == [all[1]])
    let seq = String(decoding: try #require(all[1]["seq"]).json, as: UTF8.self)
    #expect(try entries("kind=rule&before=\(seq)") == [all[2]])
    let page = try service.call("GET", "/audit-log?kind=rule&per_page=2&page=2")
    #expect(try page["entries"] == .array([.object(all[2])]))
    #expect(try page["total"] == 3)
    for query in ["before=0", "before=x", "from=yesterday", "page=0", "id=%00"] {
      #expect(try service.call("GET", "/audit-log?\(query)").status == 422, "\(query)")
    }
  }
}
