import JSON
import TestSupport
import Testing

@Suite("Providers") struct ProviderTests {
  let service: Service

  init() throws { service = try Service() }

  /// A provider of each type with every secret that it can have, and where they are.
  static let kinds: [(type: String, config: String, secrets: [String])] = [
    ("pagerduty", #"{"api_key":"0123456789abcdef0123456789ABCDEF"}"#, ["0123456789abcdef0123456789ABCDEF"]),
    ("slack", #"{"webhook_url":"https://hooks.slack.com/services/T0/B0/s3cret"}"#, ["s3cret"]),
    (
      "webhook",
      #"{"url":"https://example.com/","headers":{"X-Token":"s3cret"},"signing_secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}"#,
      ["s3cret", "whsec_"]
    ),
    (
      "email",
      #"{"smtp_host":"mail.example.com","smtp_port":587,"smtp_username":"u","smtp_password":"s3cret","from_email":"a@example.com","to_emails":["b@example.com"]}"#,
      ["s3cret"]
    ),
  ]

  @Test("A secret is never shown, and sending the mask back keeps it", arguments: Self.kinds)
  func secrets(type: String, config: String, secrets: [String]) throws {
    let body = "{\"provider_id\":\"x\",\"name\":\"n\",\"provider_type\":\"\(type)\",\"config\":\(config)}"
    let created = try service.call("POST", "/providers", body: body)
    #expect(created.status == 201, "\(created.text)")
    let stored = try service.database.texts("SELECT config::text FROM alert_providers")
    let answers = [
      created, try service.call("GET", "/providers/x"), try service.call("GET", "/providers"),
      try service.call("PUT", "/providers/x", body: created.body),
      try service.call("POST", "/providers", body: body),
    ]
    for answer in answers {
      for secret in secrets { #expect(!answer.text.contains(secret)) }
    }
    #expect(answers[1].text.contains("\"********\""))
    #expect(answers[3].status == 200)
    #expect(try service.database.texts("SELECT config::text FROM alert_providers") == stored)
    let log = try service.worker("providers").program.standardError
    for secret in secrets { #expect(!log.contains(secret)) }
  }

  @Test("A new secret takes the place of the old one")
  func newSecret() throws {
    let body =
      #"{"provider_id":"x","name":"n","provider_type":"slack","config":{"webhook_url":"https://hooks.slack.com/services/a"}}"#
    #expect(try service.call("POST", "/providers", body: body).status == 201)
    let changed = try service.call(
      "PUT", "/providers/x", body: #"{"config":{"webhook_url":"https://hooks.slack.com/services/b"}}"#)
    #expect(changed.status == 200)
    #expect(try service.database.texts("SELECT config::text FROM alert_providers")[0].contains("services/b"))
  }

  @Test(
    "A provider that says something impossible is 422 with a pointer to it, and is not stored",
    arguments: [
      (#"{"provider_type":"slack","config":{"webhook_url":"https://hooks.slack.com/a"}}"#, "/name"),
      (#"{"name":"n","config":{}}"#, "/provider_type"),
      (#"{"name":"n","provider_type":"fax","config":{}}"#, "/provider_type"),
      (#"{"name":"n","provider_type":"slack"}"#, "/config"),
      (#"{"name":"n","provider_type":"slack","config":{}}"#, "/config/webhook_url"),
      (#"{"name":"n","provider_type":"slack","config":{"webhook_url":"********"}}"#, "/config/webhook_url"),
      (#"{"name":"n","provider_type":"slack","config":{"webhook_url":"ftp://x"}}"#, "/config/webhook_url"),
      (
        #"{"name":"n","provider_type":"webhook","config":{"url":"https://x.example/","method":"GET\r\nX: y"}}"#,
        "/config/method"
      ),
      (#"{"name":"n","provider_type":"webhook","config":{"url":"https://x.example/","timeout":0}}"#, "/config/timeout"),
      (
        #"{"name":"n","provider_type":"email","config":{"smtp_host":"h","from_email":"a@b.c","to_emails":[]}}"#,
        "/config/to_emails"
      ),
      (#"{"name":"n","provider_type":"pagerduty","config":{"api_key":""}}"#, "/config/api_key"),
    ])
  func impossible(body: String, pointer: String) throws {
    let answer = try service.call("POST", "/providers", body: body)
    #expect(answer.status == 422)
    #expect(try answer.pointers.contains(pointer), "\(answer.text)")
    #expect(try service.call("GET", "/providers")["total"] == 0)
  }

  @Test("A provider that policies name cannot be deleted, and the answer names them")
  func inUse() throws {
    #expect(try service.call("POST", "/providers", body: Noun.all[2].document(id: "w")).status == 201)
    let body = """
      {"policy_id":"user","name":"p","rules":[{"field":"a","operator":"eq","value":1}],"message_template":"m",
      "summary_template":"s","providers":["w"]}
      """
    #expect(try service.call("POST", "/policies", body: body).status == 201)
    let refused = try service.call("DELETE", "/providers/w")
    #expect(refused.status == 409)
    #expect(try refused.detail.contains("user"))
    #expect(try service.call("PUT", "/policies/user", body: #"{"providers":[]}"#).status == 200)
    #expect(try service.call("DELETE", "/providers/w").status == 204)
  }

  /// Has every delivery end as soon as it is written, as somebody who delivers would.
  private func settle(state: String, status: String, answer: String) throws {
    try service.database.run(
      """
      CREATE FUNCTION settle() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO alert_delivery_attempts
        VALUES (NEW.tenant_id, NEW.delivery_id, 1, now(), now() + interval '12.3 ms', \(status), \(answer), 'sent', 'why');
        UPDATE alert_deliveries SET state = '\(state)', attempts = 1, last_status = \(status), last_error = 'why'
        WHERE delivery_id = NEW.delivery_id;
        RETURN NULL;
      END $$;
      CREATE TRIGGER settle AFTER INSERT ON alert_deliveries FOR EACH ROW EXECUTE FUNCTION settle();
      """)
  }

  private func makeHook(isEnabled: Bool = true) throws {
    let body = """
      {"provider_id":"hook","name":"Hook","enabled":\(isEnabled),"provider_type":"webhook",
      "config":{"url":"https://example.com/"}}
      """
    #expect(try service.call("POST", "/providers", body: body).status == 201)
  }

  @Test(
    "A test answers what the receiver did, word for word, be the provider switched on or off",
    arguments: [true, false], [("sent", "200", "'ok'"), ("failed", "404", "'no_service'"), ("dead", "NULL", "NULL")])
  func sendTest(isEnabled: Bool, result: (state: String, status: String, answer: String)) throws {
    try makeHook(isEnabled: isEnabled)
    try settle(state: result.state, status: result.status, answer: result.answer)
    let answer = try service.call("POST", "/providers/hook/test", key: "operator")
    #expect(answer.status == 200)
    #expect(try answer["provider_id"] == "hook")
    #expect(try answer["state"] == .string(result.state))
    #expect(try answer["status"] == Int(result.status).map { .number(JSONNumber($0)) } ?? .null)
    #expect(try answer["answer"] == (result.answer == "NULL" ? .null : .string(result.answer.filter { $0 != "'" })))
    #expect(try answer["reason"] == "why")
    #expect(try answer["latency_ms"] == 12)
    let place = try #require(answer.headers["location"]?.dropFirst("/api/v1/alerts".utf8.count))
    let delivery = try service.call("GET", String(place), key: "viewer")
    #expect(try delivery["delivery_id"] == answer["delivery_id"])
    #expect(try delivery["event"] == "test")
    #expect(try delivery["alert_id"] == .null)
  }

  @Test("A test of which nothing is known yet is 202 with the place to look at, and keeps no other request waiting")
  func unsettledTest() throws {
    try makeHook()
    let first = try service.begin("POST", "/providers/hook/test", key: "operator")
    #expect(try service.call("GET", "/providers").status == 200)
    let answer = try WebAnswer(cgi: first.output())
    #expect(answer.status == 202)
    #expect(try answer["state"] == "pending")
    #expect(try answer["answer"] == .null)
    let place = try #require(answer.headers["location"]?.dropFirst("/api/v1/alerts".utf8.count))
    #expect(try service.call("GET", String(place))["state"] == "pending")
    #expect(try service.call("GET", "/deliveries?provider_id=hook")["total"] == 1)
  }

  @Test("Nobody but operators tests a provider, and only one that is there; nothing is raised by it")
  func refusedTest() throws {
    try makeHook()
    try settle(state: "sent", status: "200", answer: "NULL")
    #expect(try service.call("POST", "/providers/none/test").status == 404)
    #expect(try service.call("POST", "/providers/hook/test", key: "elsewhere").status == 404)
    for key in ["viewer", "ingest"] {
      #expect(try service.call("POST", "/providers/hook/test", key: key).status == 403)
    }
    #expect(try service.call("GET", "/deliveries")["total"] == 0)
    #expect(try service.call("POST", "/providers/hook/test").status == 200)
    #expect(try service.call("GET", "/deliveries")["total"] == 1)
    #expect(try service.call("GET", "/alerts")["total"] == 0)
  }
}
