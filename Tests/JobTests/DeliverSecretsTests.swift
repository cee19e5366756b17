import Delivery
import JSON
import TestSupport
import Testing

@Suite("Secrets that receivers give away") struct DeliverSecretsTests {
  private static let password = "p~s? word/?>"

  /// All that is kept of the attempts at one alert for each of the providers, when they have been made.
  private func kept(of outbox: Outbox, for providers: String...) throws -> [String] {
    let program = try outbox.start()
    for provider in providers { try outbox.raise(for: provider) }
    _ = try outbox.deliveries(afterAttempts: 1)
    #expect(!program.standardError.contains("hunter2") && !program.standardError.contains(Self.password))
    return try outbox.database.texts(
      """
      SELECT provider_id || ': ' || reason || ' | ' || answer
      FROM alert_delivery_attempts
      JOIN alert_deliveries USING (tenant_id, delivery_id)
      JOIN alerts USING (tenant_id, alert_id)
      WHERE policy_id <> 'delivery-failure'
      ORDER BY provider_id
      """)
  }

  @Test("A mail server that sends back how somebody logged in gives no password away")
  func mail() throws {
    let receiver = try MailReceiver(.implicit, login: ("tocsin", Self.password))
    try receiver.refuse(at: .password, with: "535 not by {plain}, nor by {login}, \(Self.password)")
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeProvider(
      "mail", .email,
      [
        "smtp_host": .string(receiver.host), "smtp_port": .number(JSONNumber(receiver.port)), "tls_mode": "implicit",
        "smtp_username": "tocsin", "smtp_password": .string(Self.password), "from_email": "tocsin@example.com",
        "to_emails": ["one@example.com"],
      ])
    let words = "not by ********, nor by ********, ********"
    let kept = try kept(of: outbox, for: "mail")
    #expect(kept == ["mail: answered 535: \(words) | \(words)"])
  }

  @Test(
    "A receiver that sends back what it got gives no secret away, whatever it is encoded as",
    arguments: ["plain", "base64", "base64url", "base64lines", "percent", "form", "json"])
  func web(encoding: String) throws {
    let receiver = try HTTPReceiver()
    let outbox = try Outbox(authority: receiver.authority)
    let secrets: JSONObject = ["Authorization": "Basic dXNlcjpodW50ZXIy", "X-Token": .string(Self.password)]
    let answer = HTTPReceiver.Answer(400, body: Array(encoding.utf8), ending: .echo)
    try receiver.answer("/hook", with: answer)
    try receiver.answer("/slack/0a1b2c3d", with: answer)
    try outbox.makeWebhook(url: receiver.url + "/hook", ["headers": .object(secrets)])
    try outbox.makeProvider("slack", .slack, ["webhook_url": .string(receiver.url + "/slack/0a1b2c3d")])
    let kept = try kept(of: outbox, for: "hook", "slack")
    try #require(kept.count == 2)
    if encoding.hasPrefix("base64") {
      let words = "I got [********]"
      #expect(kept == ["hook", "slack"].map { "\($0): answered 400: \(words) | \(words)" })
    } else {
      for text in kept {
        #expect(text.contains("Tocsin") && text.contains("********"))
        for secret in ["dXNlcjpodW50ZXIy", "0a1b2c3d", "word"] { #expect(!text.contains(secret), "\(text)") }
      }
    }
  }
}
