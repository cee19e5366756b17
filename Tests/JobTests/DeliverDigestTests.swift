import Glibc
import Host
import JSON
import Matching
import Postgres
import Store
import TestSupport
import Testing

@Suite("Deliveries of digests") struct DeliverDigestTests {
  let receiver: HTTPReceiver
  let outbox: Outbox

  init() throws {
    receiver = try HTTPReceiver()
    outbox = try Outbox(authority: receiver.authority)
  }

  private func makePolicy(_ id: String = "logins", providers: [JSONValue]) throws {
    let policy = try Policy(json: [
      "name": "Logins", "rules": [["field": "type", "operator": "exists", "value": true]], "severity": "critical",
      "message_template": "m", "summary_template": "s", "throttle_minutes": 60, "digest_minutes": 15,
      "throttle_by": ["user"], "providers": .array(providers),
    ])
    guard case .saved = try outbox.store.createPolicy(tenant: "acme", id: id, policy, by: "test") else {
      throw SystemFailure("store the policy \(id)", 0)
    }
  }

  private func admit(_ policy: String = "logins", users: String...) throws {
    var batch = MatchBatch()
    batch.hasDigest = true
    for user in users {
      batch.add(MatchKey(policyID: policy, throttleKey: #"[["\#(user)"]]"#), limit: nil) {
        AlertDraft(
          id: Identifier.make("alert-"), title: "Root logged in", message: "At night", summary: "Root",
          event: Array(#"{"user":"root"}"#.utf8))
      }
    }
    _ = try outbox.store.admit(tenant: "acme", batch)
  }

  /// Has all windows end now. It takes rows in another order than those that close windows, so it may have to give way.
  private func endWindows() throws {
    while true {
      do {
        return try outbox.database.run("UPDATE alert_held_back SET due_at = now()")
      } catch let error as PostgresError where error.isConflict {
        continue
      }
    }
  }

  @Test("What was held back is told to every kind of receiver when the window ends, behind its alert")
  func told() throws {
    let mailbox = try MailReceiver(.startTLS, login: ("tocsin", "word"), authority: receiver.authority)
    try receiver.answer("/pd/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    try receiver.answer("/slack", with: .init(200, body: Array("ok".utf8)))
    try outbox.makeWebhook(url: receiver.url + "/hook")
    try outbox.makeProvider("pd", .pagerDuty, ["api_key": "0123456789abcdef0123456789abcdef"])
    try outbox.makeProvider("slack", .slack, ["webhook_url": .string(receiver.url + "/slack")])
    try outbox.makeProvider(
      "mail", .email,
      [
        "smtp_host": "localhost", "smtp_port": .number(JSONNumber(mailbox.port)), "smtp_username": "tocsin",
        "smtp_password": "word", "from_email": "alerts@example.com", "to_emails": ["on-call@example.com"],
      ])
    try makePolicy(providers: ["hook", "pd", "slack", "mail"])
    try outbox.start(["ALERTING_PAGERDUTY_URL": receiver.url + "/pd"])
    try admit(users: "ann")
    #expect(try outbox.waits { $0.count { $0.hasSuffix("sent 1") } == 4 })
    try admit(users: "ann", "ann", "ann", "ann", "ann")
    try endWindows()
    #expect(try outbox.waits { $0.count { $0.hasSuffix("sent 1") } == 8 })

    let words = "and 5 more from 1 user"
    let alert = try #require(try outbox.database.texts("SELECT alert_id FROM alerts").first)
    let hook = try JSONValue(parsing: try #require(try receiver.requests(to: "/hook").last).body).object
    #expect(hook?["type"] == "alert.digest")
    #expect(hook?["data"]?.object?["alert_id"] == .string(alert))
    #expect(hook?["data"]?.object?["held_back"]?.object?["events"] == 5)
    let incidents = try receiver.requests(to: "/pd/v2/enqueue").map { try JSONValue(parsing: $0.body).object }
    #expect(incidents.count == 2 && Set(incidents.compactMap { $0?["dedup_key"]?.string }).count == 1)
    #expect(incidents.last??["payload"]?.object?["summary"] == .string("Logins: \(words)"))
    let texts = try receiver.requests(to: "/slack").map { try JSONValue(parsing: $0.body).object?["text"]?.string }
    #expect(texts.last == "[CRITICAL] Logins: \(words)")
    let mails = try mailbox.messages().map(\.text)
    let first = try #require(mails.first?.firstMatch(of: #/Message-ID: (<[^>]+>)/#)).1
    #expect(mails.count == 2 && mails[1].contains("References: \(first)"))
    #expect(mails[1].contains("\r\nSubject: Re: Alert: critical - Root (\(words))\r\n"))
  }

  @Test("A digest that the database refuses to write costs no alert its way, and is told when it can be written")
  func refused() throws {
    try outbox.makeWebhook(url: receiver.url + "/hook")
    try makePolicy(providers: ["hook"])
    try outbox.database.run(
      """
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'poison'; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON alert_deliveries FOR EACH ROW WHEN (NEW.event = 'digest')
      EXECUTE FUNCTION refuse();
      """)
    try admit(users: "ann", "ann")
    try endWindows()
    let program = try outbox.start()
    #expect(poll(within: 30) { program.standardError.contains("what the database refuses") })
    try admit(users: "bob")
    #expect(try outbox.deliveries(become: ["hook sent 1", "hook sent 1"]) == ["hook sent 1", "hook sent 1"])
    try outbox.database.run("DROP TRIGGER refuse ON alert_deliveries")
    try outbox.start()
    #expect(try outbox.waits { $0.count { $0 == "hook sent 1" } == 3 })
  }

  @Test("However many processes close windows and are killed at it, each digest is written once")
  func killed() throws {
    try outbox.makeWebhook(url: receiver.plainURL + "/hook")
    let policies = (0..<20).map { "policy-\($0)" }
    for policy in policies { try makePolicy(policy, providers: ["hook"]) }
    for round in 1...5 {
      for policy in policies { try admit(policy, users: "ann", "ann", "bob") }
      let programs = try (0..<3).map { _ in try outbox.start() }
      try endWindows()
      usleep(useconds_t(round * 60_000))
      programs.forEach { $0.signal(SIGKILL) }
    }
    try outbox.start()
    try endWindows()
    #expect(try poll(within: 30) { try outbox.database.texts("SELECT policy_id FROM alert_held_back").isEmpty })
    let told = try outbox.database.texts(
      """
      SELECT DISTINCT sum((held_back ->> 'events')::integer)::text
      FROM alert_deliveries
      WHERE event = 'digest'
      GROUP BY held_back ->> 'policy_id'
      """)
    // Of the first round one event of each policy and user was raised.
    #expect(told == ["13"])
    // Those of the killed are leased still; what is locked at this moment is not theirs.
    try outbox.makeDue()
    #expect(
      try poll(within: 60) {
        try outbox.database.texts("SELECT state FROM alert_deliveries WHERE state <> 'sent'").isEmpty
      })
    let ids = try receiver.requests(to: "/hook").compactMap { request -> String? in
      let type = try JSONValue(parsing: request.body).object?["type"]
      return type == "alert.digest" ? request.headers["webhook-id"] : nil
    }
    let written = try outbox.database.texts("SELECT delivery_id::text FROM alert_deliveries WHERE event = 'digest'")
    #expect(Set(ids) == Set(written))
  }
}
