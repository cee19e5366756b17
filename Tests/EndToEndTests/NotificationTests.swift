import Foundation
import JSON
import TestSupport
import Testing

/// Events in through nginx, alerts out at real receivers: HTTPS with a certificate of a private authority, and SMTP with
/// STARTTLS and a login.
@Suite("From an event to a person")
struct NotificationTests {
  @Test("An event reaches PagerDuty, Slack, a webhook and a mailbox, and a receiver that fails is tried again")
  func fourKinds() async throws {
    let receiver = try HTTPReceiver()
    let mailbox = try MailReceiver(.startTLS, login: ("tocsin", "pass word"), authority: receiver.authority)
    try receiver.answer("/pagerduty/v2/enqueue", with: .init(202, body: Array(#"{"status":"success"}"#.utf8)))
    try receiver.answer("/slack", with: .init(200, body: Array("ok".utf8)))
    try receiver.answer("/flaky", with: .init(503), .init(200))
    let instance = try await Instance(settings: [
      "ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8", "ALERTING_CA_FILE": receiver.authority.certificateFile,
      "ALERTING_PAGERDUTY_URL": receiver.url + "/pagerduty",
    ])
    let configs: [(type: String, config: JSONValue)] = [
      ("pagerduty", ["api_key": "0123456789abcdef0123456789abcdef"]),
      ("slack", ["webhook_url": .string(receiver.url + "/slack")]),
      ("webhook", ["url": .string(receiver.url + "/flaky"), "headers": ["X-Token": "t0ken"]]),
      (
        "email",
        [
          "smtp_host": "localhost", "smtp_port": .number(JSONNumber(mailbox.port)), "smtp_username": "tocsin",
          "smtp_password": "pass word", "from_email": "tocsin@example.com", "to_emails": ["on-call@example.com"],
        ]
      ),
    ]
    for (type, config) in configs {
      let provider: JSONValue = [
        "provider_id": .string(type), "name": .string(type), "provider_type": .string(type), "config": config,
      ]
      try await create("providers", provider, on: instance)
    }
    try await create(
      "policies",
      [
        "policy_id": "root", "name": "Root logged in", "severity": "high",
        "rules": [["field": "user", "operator": "eq", "value": "root"]], "message_template": "{user} from <{ip}>",
        "summary_template": "Login of {user}", "providers": .array(configs.map { .string($0.type) }),
      ], on: instance)

    let answer = try await instance.send(
      "/api/v1/alerts/process-event", method: "POST", key: instance.key,
      body: Data(#"{"user":"root","ip":"203.0.113.7"}"#.utf8))
    #expect(answer.status == 200)
    let states = try await deliveryStates(on: instance, until: { $0.values.allSatisfy { $0 == "sent" } })
    #expect(states == ["pagerduty": "sent", "slack": "sent", "webhook": "sent", "email": "sent"])

    let incident = try JSONValue(parsing: try #require(receiver.requests(to: "/pagerduty/v2/enqueue").first).body)
      .object
    #expect(incident?["payload"]?.object?["severity"] == "error")
    let message = try #require(receiver.requests(to: "/slack").first)
    #expect(String(decoding: message.body, as: UTF8.self).contains("root from &lt;203.0.113.7&gt;"))
    let attempts = try receiver.requests(to: "/flaky")
    #expect(attempts.count == 2)
    #expect(Set(attempts.map { $0.headers["webhook-id"] }).count == 1)
    #expect(attempts.allSatisfy { $0.isSecure && $0.headers["x-token"] == "t0ken" })
    let mail = try #require(try mailbox.messages().first)
    #expect(mail.isSecure && mail.user == "tocsin" && mail.recipients == ["on-call@example.com"])
    #expect(mail.text.contains("Subject: Alert: high - Login of root"))
    try await expectNoSecrets(["0123456789abcdef0123456789abcdef", "pass word", "t0ken", instance.key], on: instance)
    #expect(try await instance.stop().status == 0)
  }

  /// Looks for secrets wherever somebody might who has no business with them: logs, answers, a dump of the database, and what
  /// every user of the machine sees of processes. Of the memory of the programs nobody gets a dump.
  private func expectNoSecrets(_ secrets: [String], on instance: Instance) async throws {
    let database = "postgresql:///tocsin?host=\(instance.state)/run/postgres&user=postgres"
    let dump = try await Command.run("pg_dump", ["--dbname", database])
    try #require(dump.status == 0 && dump.output.contains("PostgreSQL database dump complete"), "\(dump.errors)")
    let session = try String(contentsOfFile: instance.state + "/run/session", encoding: .utf8)
      .trimmingCharacters(in: .newlines)
    let processes = try await Command.run("ps", ["-ww", "-o", "args", "-s", session, "-C", "postgres"]).output
    #expect(processes.contains("deliver"))
    var places = try [
      "logs": instance.logs(), "dump": dump.output, "processes": processes,
    ]
    for route in ["providers", "deliveries", "alerts", "policies"] {
      places[route] = try await instance.send("/api/v1/alerts/\(route)", key: instance.key).text
    }
    for (place, text) in places {
      #expect(!text.isEmpty)
      for secret in secrets { #expect(!text.contains(secret), "\(place)") }
    }
    for program in try ["Routes", "Jobs"].flatMap({
      try FileManager.default.contentsOfDirectory(atPath: Checkout.top.path + "/Sources/" + $0)
    }) {
      let processes = try await instance.processes(of: program)
      #expect(!processes.isEmpty, "\(program)")
      for process in processes {
        // The kernel gives root what belongs to a process that nobody may dump.
        let owner = try FileManager.default.attributesOfItem(atPath: "/proc/\(process)/stat")[.ownerAccountID]
        #expect(owner as? Int == 0, "\(program)")
      }
    }
  }

  @Test("Throttle and cap hold exactly under 64 requests at once, and nothing that matched goes uncounted")
  func limits() async throws {
    let instance = try await Instance.shared
    let key = try await instance.makeKey(tenant: "limits")
    for (id, limits) in [
      ("throttled", #""throttle_minutes":60"#), ("capped", #""max_alerts_per_hour":7"#),
      ("per-user", #""throttle_minutes":60,"throttle_by":["user"]"#), ("free", #""max_alerts_per_hour":0"#),
    ] {
      let policy = try JSONValue(
        parsing: """
          {"policy_id":"\(id)","name":"\(id)","rules":[{"field":"type","operator":"eq","value":"login"}],
          "message_template":"m","summary_template":"s","providers":[],\(limits)}
          """.utf8)
      try await create("policies", policy, on: instance, key: key)
    }
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<64 {
        group.addTask {
          try await instance.send(
            "/api/v1/alerts/process-event", method: "POST", key: key,
            body: Data("{\"type\":\"login\",\"user\":\"user-\(number % 4)\"}".utf8)
          ).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses == Array(repeating: 200, count: 64))
    for (id, raised) in [("throttled", 1), ("capped", 7), ("per-user", 4), ("free", 64)] {
      let alerts = try await instance.send("/api/v1/alerts/alerts?per_page=100&policy_id=\(id)", key: key).json
      #expect(alerts["total"] as? Int == raised, "\(id)")
      let listed = try #require(alerts["alerts"] as? [[String: Any]])
      #expect(listed.compactMap { $0["event_count"] as? Int }.reduce(0, +) == 64, "\(id)")
    }
  }

  private func create(_ route: String, _ document: JSONValue, on instance: Instance, key: String? = nil) async throws {
    let answer = try await instance.send(
      "/api/v1/alerts/\(route)", method: "POST", key: key ?? instance.key, body: Data(document.json))
    try #require(answer.status == 201, "\(answer.text)")
  }

  private func deliveryStates(
    on instance: Instance, until isEnough: ([String: String]) -> Bool
  ) async throws -> [String: String] {
    var states: [String: String] = [:]
    try await wait(upTo: 60, for: "the deliveries of the alert") {
      let alerts = try await instance.send("/api/v1/alerts/alerts", key: instance.key).json["alerts"]
      states = (alerts as? [[String: Any]])?.first?["delivery_status"] as? [String: String] ?? [:]
      return isEnough(states)
    }
    return states
  }
}
