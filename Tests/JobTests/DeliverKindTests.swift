import JSON
import TestSupport
import Testing

@Suite("Deliveries to each kind of provider") struct DeliverKindTests {
  @Test("A webhook gets the event over TLS")
  func webhook() throws {
    let receiver = try HTTPReceiver()
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(
      url: receiver.url + "/hook?a=b",
      [
        "method": "PUT", "headers": ["X-Key": "k1"], "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      ])
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 1"]) == ["hook sent 1"])
    let request = try #require(try receiver.requests().first)
    #expect(request.method == "PUT" && request.path == "/hook?a=b" && request.isSecure)
    #expect(request.headers["x-key"] == "k1")
    #expect(request.headers["content-type"] == "application/json; charset=utf-8")
    let id = try outbox.database.texts("SELECT delivery_id::text FROM alert_deliveries")
    #expect([request.headers["webhook-id"]] == id)
    #expect(request.headers["webhook-signature"]?.hasPrefix("v1,") == true)
    let data = try JSONValue(parsing: request.body).object?["data"]?.object
    #expect(data?["title"] == "Root logged in")
    #expect(data?["event_data"] == ["user": "root"])
  }

  @Test("A receiver that checks signatures accepts each attempt, by either secret of a rotation, and no other body")
  func signatures() throws {
    let secrets = (new: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", old: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")
    let receiver = try HTTPReceiver()
    try receiver.answer("/hook", with: .init(503), .init(200))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(
      url: receiver.url + "/hook",
      ["signing_secret": .string(secrets.new), "previous_signing_secret": .string(secrets.old)])
    try outbox.start()
    try outbox.raise(for: "hook")
    _ = try outbox.deliveries(afterAttempts: 1)
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["hook sent 2"]) == ["hook sent 2"])
    let requests = try receiver.requests()
    #expect(requests.count == 2)
    for request in requests {
      for secret in [secrets.new, secrets.old] {
        #expect(try StandardWebhooks.verdict(on: request, secret: secret) == "accepted")
        let changed = try StandardWebhooks.verdict(on: request, body: request.body + [0x20], secret: secret)
        #expect(changed.hasPrefix("refused: "))
      }
      let stranger = try StandardWebhooks.verdict(on: request, secret: "whsec_" + secrets.old.suffix(32).reversed())
      #expect(stranger.hasPrefix("refused: "))
    }
  }

  @Test("PagerDuty gets a trigger at the operator's address")
  func pagerDuty() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/pd/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider("pd", .pagerDuty, ["api_key": "0123456789abcdef0123456789abcdef"])
    try outbox.start(["ALERTING_PAGERDUTY_URL": receiver.url + "/pd"])
    try outbox.raise(for: "pd")
    #expect(try outbox.deliveries(become: ["pd sent 1"]) == ["pd sent 1"])
    let event = try JSONValue(parsing: try #require(try receiver.requests().first).body).object
    #expect(event?["routing_key"] == "0123456789abcdef0123456789abcdef")
    #expect(event?["payload"]?.object?["severity"] == "critical")
  }

  @Test("Slack gets a message, and only its ok is a yes")
  func slack() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/services/x", with: .init(200, body: Array("wait".utf8)), .init(200, body: Array("ok".utf8)))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider("slack", .slack, ["webhook_url": .string(receiver.url + "/services/x")])
    try outbox.start()
    try outbox.raise(for: "slack")
    let waiting = "slack pending 1: answered 200: wait, which is no confirmation"
    #expect(try outbox.deliveries(become: [waiting]) == [waiting])
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["slack sent 2"]) == ["slack sent 2"])
    let message = try JSONValue(parsing: try #require(try receiver.requests().last).body).object
    #expect(message?["text"] == "[CRITICAL] Root logged in")
  }

  @Test("What Slack refuses for its form is sent once more as plain text, in the same attempt")
  func plainSlack() throws {
    let receiver = try HTTPReceiver()
    let refusal = HTTPReceiver.Answer(400, body: Array("invalid_blocks".utf8))
    try receiver.answer("/taken", with: refusal, .init(200, body: Array("ok".utf8)))
    try receiver.answer("/refused", with: refusal)
    try receiver.answer("/user", with: .init(400, body: Array("user_not_found".utf8)))
    let outbox = try Outbox(authority: receiver.authority)
    for path in ["refused", "taken", "user"] {
      try outbox.makeProvider(path, .slack, ["webhook_url": .string(receiver.url + "/" + path), "channel": "#on-call"])
    }
    try outbox.start()
    try outbox.raise(for: "taken", "refused", "user")
    let expected = [
      "refused failed 1: answered 400: invalid_blocks", "taken sent 1: taken as plain text alone",
      "user failed 1: answered 400: user_not_found",
    ]
    #expect(try outbox.deliveries(become: expected) == expected)
    // Beside them go those that tell each provider that the others fail.
    func messages(to path: String) throws -> [JSONObject?] {
      try receiver.requests(to: path).map { try JSONValue(parsing: $0.body).object }
        .filter { $0?["text"]?.string?.contains("Root logged in") == true }
    }
    for path in ["/taken", "/refused"] {
      let messages = try messages(to: path)
      #expect(messages.map { $0?["attachments"] == nil } == [false, true])
      let text = try #require(messages.last??["text"]?.string)
      #expect(text.hasPrefix("[CRITICAL] Root logged in\n\nRoot\n\nAt night\n\nSeverity: critical\nPolicy: Logins\n"))
      #expect(messages.last??["channel"] == "#on-call")
    }
    #expect(try messages(to: "/user").count == 1)
    let attempts = try outbox.database.texts(
      """
      SELECT verdict || ' ' || attempt.status
      FROM alert_delivery_attempts AS attempt
      JOIN alert_deliveries USING (tenant_id, delivery_id)
      JOIN alerts USING (tenant_id, alert_id)
      WHERE policy_id <> 'delivery-failure'
      ORDER BY 1
      """)
    #expect(attempts == ["rejected 400", "rejected 400", "sent 200"])
  }

  @Test("The plain message keeps to the pace too, and waits for the next attempt where its turn is far")
  func pacedPlainSlack() throws {
    let receiver = try HTTPReceiver()
    let refusal = HTTPReceiver.Answer(400, body: Array("invalid_blocks".utf8))
    try receiver.answer("/soon", with: refusal, .init(200, body: Array("ok".utf8)))
    try receiver.answer("/late", with: refusal)
    let outbox = try Outbox(authority: receiver.authority)
    for path in ["late", "soon"] {
      try outbox.makeProvider(path, .slack, ["webhook_url": .string(receiver.url + "/" + path)])
    }
    try outbox.raise(for: "late", "soon")
    // The first message goes all the same: as somebody asked for it.
    try outbox.database.run(
      """
      UPDATE alert_deliveries SET next_attempt_at = 'epoch';
      INSERT INTO alert_provider_health (tenant_id, provider_id, paced_until)
      VALUES ('acme', 'late', now() + interval '1 hour'), ('acme', 'soon', now() + interval '5 seconds');
      """)
    func turn() throws -> Double {
      let moment = "SELECT extract(epoch FROM paced_until)::text FROM alert_provider_health WHERE provider_id = 'soon'"
      return try #require(try outbox.database.texts(moment).first.flatMap(Double.init))
    }
    let first = try turn()
    try outbox.start()
    let expected = ["late pending 1: answered 400: invalid_blocks", "soon sent 1: taken as plain text alone"]
    #expect(try outbox.deliveries(become: expected) == expected)
    let messages = try receiver.requests(to: "/soon")
    #expect(messages.count == 2 && messages[1].time > first + 0.9)
    #expect(try turn() > first + 1.9)
    #expect(try receiver.requests(to: "/late").count == 1)
  }

  @Test(
    "E-mail goes by STARTTLS and by TLS from the start, logged in",
    arguments: [MailReceiver.Security.startTLS, .implicit])
  func email(security: MailReceiver.Security) throws {
    let receiver = try MailReceiver(security, login: ("tocsin", "pass word"))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider(
      "mail", .email,
      [
        "smtp_host": .string(receiver.host), "smtp_port": .number(JSONNumber(receiver.port)),
        "tls_mode": .string(security.rawValue), "smtp_username": "tocsin", "smtp_password": "pass word",
        "from_email": "tocsin@example.com", "to_emails": ["one@example.com", "two@example.com"],
        "subject_template": "Größe {severity}\r\n{user}",
      ])
    try outbox.start()
    try outbox.raise(for: "mail")
    #expect(try outbox.deliveries(become: ["mail sent 1"]) == ["mail sent 1"])
    let message = try #require(try receiver.messages().first)
    #expect(message.sender == "tocsin@example.com" && message.recipients == ["one@example.com", "two@example.com"])
    #expect(message.user == "tocsin" && message.isSecure)
    #expect(message.text.contains("\r\nSubject: =?utf-8?B?R3LDtsOfZSBjcml0aWNhbCAgcm9vdA==?=\r\n"))
    let id = try outbox.database.texts("SELECT delivery_id::text FROM alert_deliveries").first ?? ""
    #expect(message.text.contains("\r\nMessage-ID: <\(id)@example.com>\r\n"))
  }

  @Test("A recipient who is refused for now is tried again alone, and one who does not exist is told")
  func recipients() throws {
    let receiver = try MailReceiver()
    try receiver.refuse(at: .recipient, address: "full@example.com", with: "452 full")
    try receiver.refuse(at: .recipient, address: "gone@example.com", with: "550 no such user")
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider(
      "mail", .email,
      [
        "smtp_host": "127.0.0.1", "smtp_port": .number(JSONNumber(receiver.port)), "from_email": "a@example.com",
        "to_emails": ["full@example.com", "one@example.com", "gone@example.com"],
      ])
    try outbox.start()
    try outbox.raise(for: "mail")
    let refused = "full@example.com refused with 452: full; gone@example.com refused with 550: no such user"
    #expect(try outbox.deliveries(become: ["mail pending 1: \(refused)"]) == ["mail pending 1: \(refused)"])
    try receiver.refuse(at: .recipient, address: "full@example.com", with: nil)
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["mail sent 2"]) == ["mail sent 2"])
    #expect(try receiver.messages().map(\.recipients) == [["one@example.com"], ["full@example.com"]])
  }
}
