import Foundation
import JSON
import TestSupport
import Testing

@Suite("Deliveries about what became of an alert") struct DeliverSequelTests {
  @Test("Who was told of an alert is told when somebody is at it and when it is over, in this order")
  func sequels() throws {
    let receiver = try HTTPReceiver()
    let mailbox = try MailReceiver(.startTLS, login: ("tocsin", "word"), authority: receiver.authority)
    try receiver.answer("/pd/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    try receiver.answer("/slack", with: .init(200, body: Array("ok".utf8)))
    // The trigger arrives at the second attempt, when the alert is resolved already.
    try receiver.answer("/hook", with: .init(503), .init(200))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
    try outbox.makeProvider("pd", .pagerDuty, ["api_key": "0123456789abcdef0123456789abcdef"])
    try outbox.makeProvider("slack", .slack, ["webhook_url": .string(receiver.url + "/slack")])
    try outbox.makeProvider(
      "mail", .email,
      [
        "smtp_host": "localhost", "smtp_port": .number(JSONNumber(mailbox.port)), "smtp_username": "tocsin",
        "smtp_password": "word", "from_email": "alerts@example.com", "to_emails": ["on-call@example.com"],
      ])
    try outbox.start(["ALERTING_PAGERDUTY_URL": receiver.url + "/pd"])
    try outbox.raise(for: "hook", "pd", "slack", "mail")
    #expect(try outbox.waits { $0.count { $0.hasSuffix("sent 1") } == 3 && $0.contains { $0.contains("503") } })

    let alert = try #require(try outbox.database.texts("SELECT alert_id FROM alerts").first)
    let store = outbox.database.store()
    #expect(try store.acknowledgeAlert(tenant: "acme", id: alert, by: "ann")?.status == .acknowledged)
    #expect(try store.acknowledgeAlert(tenant: "acme", id: alert, by: "bob")?.acknowledgedBy == "ann")
    #expect(try store.resolveAlert(tenant: "acme", id: alert, by: "cem")?.status == .resolved)
    #expect(try outbox.waits { $0.count { $0.hasSuffix("sent 1") } == 9 })
    try outbox.makeDue()
    #expect(try outbox.waits { $0.count { $0.contains(" sent ") } == 12 })

    let types = try receiver.requests(to: "/hook").dropFirst().map { try JSONValue(parsing: $0.body).object?["type"] }
    #expect(types == ["alert.triggered", "alert.acknowledged", "alert.resolved"])
    let incidents = try receiver.requests(to: "/pd/v2/enqueue").map { try JSONValue(parsing: $0.body).object }
    #expect(incidents.map { $0?["event_action"] } == ["trigger", "acknowledge", "resolve"])
    #expect(Set(incidents.compactMap { $0?["dedup_key"]?.string }).count == 1)
    let texts = try receiver.requests(to: "/slack").map { try JSONValue(parsing: $0.body).object?["text"]?.string }
    #expect(texts == ["", "Acknowledged: ", "Resolved: "].map { "[CRITICAL] \($0)Root logged in" })
    let mails = try mailbox.messages().map(\.text)
    try #require(mails.count == 3)
    let first = try #require(mails[0].firstMatch(of: #/Message-ID: (<[^>]+>)/#)).1
    #expect(
      mails.dropFirst().allSatisfy { $0.contains("References: \(first)") && $0.contains("In-Reply-To: \(first)") })
    #expect(mails[2].contains("(resolved)"))
  }

  @Test("A PagerDuty incident of two alerts is resolved with the second of them")
  func sharedIncident() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/pd/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider("pd", .pagerDuty, ["api_key": "0123456789abcdef0123456789abcdef"])
    try outbox.start(["ALERTING_PAGERDUTY_URL": receiver.url + "/pd"])
    try outbox.raise(2, for: "pd")
    #expect(try outbox.waits { $0 == ["pd sent 1", "pd sent 1"] })
    let alerts = try outbox.database.texts("SELECT alert_id FROM alerts ORDER BY alert_id")
    _ = try outbox.store.resolveAlert(tenant: "acme", id: alerts[0], by: "ann")
    #expect(try outbox.waits { $0.contains("pd skipped 0: other alerts of the same incident are open") })
    _ = try outbox.store.resolveAlert(tenant: "acme", id: alerts[1], by: "ann")
    #expect(try outbox.waits { $0.count { $0 == "pd sent 1" } == 3 })
    let actions = try receiver.requests().map { try JSONValue(parsing: $0.body).object?["event_action"] }
    #expect(actions == ["trigger", "trigger", "resolve"])
  }

  @Test("Who was told that a provider fails is told when it works again, once")
  func recovery() throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/hook", with: .init(401), .init(200))
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
    try outbox.makeWebhook("other", url: receiver.url + "/other")
    for _ in 0..<2 { try outbox.start() }
    try outbox.raise(for: "hook")
    #expect(try receiver.waitForRequests(1, to: "/other").count == 1)
    try outbox.raise(2, for: "hook")
    #expect(try receiver.waitForRequests(2, to: "/other").count == 2)
    #expect(try outbox.waits { $0.count { $0 == "hook sent 1" } == 2 })
    let told = try receiver.requests(to: "/other").map { try JSONValue(parsing: $0.body).object }
    #expect(told.map { $0?["type"] } == ["alert.triggered", "alert.resolved"])
    #expect(Set(told.compactMap { $0?["data"]?.object?["alert_id"]?.string }).count == 1)
    #expect(told.allSatisfy { $0?["data"]?.object?["title"] == "Alerts do not reach hook" })
    #expect(told.last??["data"]?.object?["resolved_by"] == "tocsin")
  }

  @Test("An alert that was held back or could not be told stays untold")
  func untold() throws {
    let outbox = try Outbox(authority: nil)
    try outbox.makeWebhook(url: "http://127.0.0.1:9/")
    try outbox.raise(for: "hook")
    try outbox.database.run("UPDATE alert_deliveries SET state = 'dead'")
    let alert = try #require(try outbox.database.texts("SELECT alert_id FROM alerts").first)
    #expect(try outbox.database.store().resolveAlert(tenant: "acme", id: alert, by: "cem")?.status == .resolved)
    #expect(try outbox.database.texts("SELECT event FROM alert_deliveries") == ["triggered"])
  }
}
