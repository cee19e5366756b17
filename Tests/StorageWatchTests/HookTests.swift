import Delivery
import Host
import JSON
import Testing

@testable import StorageWatch

@Suite("What a hook of each kind is told, and how it answers") struct HookTests {
  private let alert = Self.message(ending: false)
  private let recovery = Self.message(ending: true)

  private static func message(ending: Bool) -> StorageMessage {
    var storage = Storage()
    let alerts = storage.fail(seconds: 30)
    guard let message = ending ? storage.probe(.usable) : alerts.first else { preconditionFailure("no message") }
    return message
  }

  private func hook(_ json: JSONObject) throws -> any StorageAlertHook {
    let named = json.overlaid(with: ["name": "ops"])
    return try HookKind.hook(json: .object(named), pagerDutyURL: "https://pd.example.com")
  }

  private func request(_ hook: any StorageAlertHook, _ message: StorageMessage, time: Int = 5) throws -> HTTPTransfer {
    guard
      case .transfer(.http(let request)) = hook.errand(
        for: message, attempt: Attempt(deliveryID: message.id, time: time))
    else { throw JSONFaults("no request") }
    return request
  }

  private func json(_ request: HTTPTransfer) throws -> JSONObject? { try JSONValue(parsing: request.body).object }

  @Test("A webhook gets the event itself, with an id that stays and a signature that does not")
  func webhook() throws {
    let hook = try hook([
      "kind": "webhook", "url": "https://example.com/x", "headers": ["X-Key": "k"],
      "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ])
    let first = try request(hook, alert)
    #expect(first.body == alert.event.json)
    #expect(first.timeoutSeconds == 10)
    let values = Dictionary(first.headers.map { ($0.name, $0.value) }) { $1 }
    #expect(values["webhook-id"] == "outage-1-alert-1" && values["X-Key"] == "k" && values["webhook-timestamp"] == "5")
    let again = try request(hook, alert, time: 6)
    #expect(again.body == first.body)
    #expect(again.headers.last != first.headers.last && again.headers.last?.name == "webhook-signature")
  }

  @Test("PagerDuty is triggered and resolved under one key")
  func pagerDuty() throws {
    let hook = try hook(["kind": "pagerduty", "api_key": "0123456789abcdef0123456789abcdef"])
    let events = try [alert, recovery].map { try json(request(hook, $0)) }
    #expect(events.map { $0?["event_action"] } == ["trigger", "resolve"])
    #expect(events.map { $0?["dedup_key"] } == ["outage-1", "outage-1"])
    let payload = events[0]?["payload"]?.object
    #expect(payload?["severity"] == "critical" && payload?["source"] == "tocsin/tocsin")
    #expect(payload?["summary"] == "The storage of tocsin is unreachable: 7 checks in a row failed, for 30 s")
  }

  @Test("Slack and a mailbox are told in words, the end as the end of what they know")
  func words() throws {
    let slack = try hook(["kind": "slack", "webhook_url": "https://hooks.slack.com/services/T/B/x"])
    #expect(try json(request(slack, alert))?["text"] == "[CRITICAL] The storage of tocsin is unreachable")
    #expect(
      try json(request(slack, recovery))?["text"]
        == "[CRITICAL] Resolved: The storage of tocsin was unreachable for 30 s, 7 events were kept meanwhile")
    let email = try hook([
      "kind": "email", "smtp_host": "mail.example.com", "smtp_port": 25, "from_email": "a@example.com",
      "to_emails": ["b@example.com", "c@example.com"],
    ])
    let attempt = Attempt(deliveryID: recovery.id, time: 5, recipients: ["c@example.com"])
    guard case .transfer(.mail(let mail)) = email.errand(for: recovery, attempt: attempt) else {
      Issue.record("no mail")
      return
    }
    let text = String(decoding: mail.message, as: UTF8.self)
    #expect(mail.recipients == ["c@example.com"])
    #expect(text.contains("Message-ID: <outage-1-recovery@example.com>"))
    #expect(text.contains("References: <outage-1-alert-1@example.com>"))
  }

  @Test("A program gets the event on standard input, and its status is its answer")
  func command() throws {
    let hook = try hook(["kind": "command", "command": ["/bin/page", "-x"], "timeout_secs": 3])
    guard case .command(let command) = hook.errand(for: alert, attempt: Attempt(deliveryID: alert.id, time: 5)) else {
      Issue.record("no command")
      return
    }
    #expect(command.program == "/bin/page" && command.arguments == ["/bin/page", "-x"] && command.timeoutSeconds == 3)
    #expect(command.input == alert.event.json + [0x0A])
    #expect(command.environment.contains("TOCSIN_EVENT_ID=outage-1-alert-1"))
    #expect(hook.verdict(on: .command(CommandReply(.exit(0))), at: 5) == .sent(remark: nil))
    #expect(
      hook.verdict(on: .command(CommandReply(.exit(2), output: Array("no\n modem".utf8))), at: 5)
        == .retry(after: nil, reason: "ended with status 2: no modem"))
    #expect(
      hook.verdict(on: .command(CommandReply(.timeout)), at: 5) == .retry(after: nil, reason: "was killed after 3 s"))
  }

  @Test("A test is marked as one wherever people read it, and triggers nothing grave")
  func test() throws {
    let test = StorageMessage.test(id: "test-1", at: 1_778_148_000, serviceName: "tocsin")
    let webhook = try hook(["kind": "webhook", "url": "https://example.com/x"])
    let event = try json(request(webhook, test))?["StorageUnreachable"]?.object
    #expect(event?["last_error"]?.string?.hasPrefix("TEST: ") == true)
    #expect(event?["consecutive_failures"] == 0)
    let slack = try hook(["kind": "slack", "webhook_url": "https://hooks.slack.com/services/T/B/x"])
    #expect(try json(request(slack, test))?["text"] == "[INFO] TEST of the storage alerts of tocsin")
    let pagerDuty = try hook(["kind": "pagerduty", "api_key": "0123456789abcdef0123456789abcdef"])
    #expect(try json(request(pagerDuty, test))?["payload"]?.object?["severity"] == "info")
  }
}
