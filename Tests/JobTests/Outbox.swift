import Delivery
import Host
import JSON
import Matching
import Postgres
import Store
import TestSupport

/// A tenant with providers and alerts in a database of its own, and `deliver` programs that work on it.
final class Outbox {
  let database: TestDatabase
  /// A store with a connection that nothing has happened to yet.
  var store: Store { database.store() }
  private let authority: TestAuthority?
  private var programs: [Program] = []

  /// Deliveries trust the authority, where there is one, and nobody else.
  convenience init(authority: TestAuthority? = nil) throws {
    try self.init(authority: authority, on: TestDatabase())
  }

  /// The same on a given database.
  init(authority: TestAuthority? = nil, on database: TestDatabase) throws {
    self.database = database
    self.authority = authority
    try store.createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "test", role: .admin))
  }

  /// Stores a provider, which has to be valid.
  func makeProvider(_ id: String, _ type: ProviderType, _ config: JSONValue) throws {
    let provider = try Provider(
      json: ["name": .string(id), "provider_type": .string(type.rawValue), "config": config])
    guard case .saved = try store.createProvider(tenant: "acme", id: id, provider, by: "test") else {
      throw SystemFailure("store the provider \(id)", 0)
    }
  }

  /// Stores a webhook that goes to a URL.
  func makeWebhook(_ id: String = "hook", url: String, _ config: JSONObject = [:]) throws {
    try makeProvider(id, .webhook, .object(config.overlaid(with: ["url": .string(url)])))
  }

  /// Raises alerts, each for all of the providers.
  func raise(_ count: Int = 1, for providers: String...) throws {
    let id = Identifier.make("policy-")
    let policy = try Policy(json: [
      "name": "Logins", "rules": [["field": "type", "operator": "exists", "value": true]], "severity": "critical",
      "message_template": "m", "summary_template": "s", "providers": .array(providers.map(JSONValue.string)),
      "max_alerts_per_hour": 0,
    ])
    _ = try store.createPolicy(tenant: "acme", id: id, policy, by: "test")
    var batch = MatchBatch()
    for _ in 0..<count {
      batch.add(MatchKey(policyID: id), limit: nil) {
        AlertDraft(
          id: Identifier.make("alert-"), title: "Root logged in", message: "At night", summary: "Root",
          event: Array(#"{"user":"root"}"#.utf8))
      }
    }
    guard try store.admit(tenant: "acme", batch).count == count else { throw SystemFailure("raise", 0) }
  }

  /// Starts a `deliver` that may reach this machine and runs until it is asked to end.
  @discardableResult
  func start(_ settings: [String: String] = [:]) throws -> Program {
    var environment = [
      "ALERTING_DATABASE_URL": database.url, "ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8, ::1",
      "ALERTING_DELIVER_SECONDS": "0",
    ]
    environment["ALERTING_CA_FILE"] = authority?.certificateFile
    let program = try Program("deliver", environment: environment.merging(settings) { $1 })
    programs.append(program)
    return program
  }

  /// Deliveries of alerts that a test has raised, not of those about other deliveries that failed.
  private static let isRaised = "alert_id NOT IN (SELECT alert_id FROM alerts WHERE policy_id = 'delivery-failure')"

  /// The deliveries in order of their providers: provider, state, number of attempts, and why it is as it is.
  func deliveries() throws -> [String] {
    try database.texts(
      """
      SELECT provider_id || ' ' || state || ' ' || attempts || coalesce(': ' || last_error, '')
      FROM alert_deliveries
      WHERE \(Self.isRaised)
      ORDER BY provider_id, created_at
      """)
  }

  /// Waits until the deliveries are as given; their state in any case.
  func deliveries(become expected: [String], within seconds: Int = 30) throws -> [String] {
    try poll(within: seconds) { try deliveries() == expected }
    return try deliveries()
  }

  /// Whether the deliveries become as they should, within half a minute.
  func waits(until holds: ([String]) throws -> Bool) throws -> Bool { try poll(within: 30) { try holds(deliveries()) } }

  /// Waits until no delivery is leased and so many attempts have been made of each; their state in any case.
  func deliveries(afterAttempts attempts: Int, within seconds: Int = 30) throws -> [String] {
    let unfinished = """
      SELECT 'unfinished'
      FROM alert_deliveries
      WHERE (attempts < \(attempts) OR lease_token IS NOT NULL) AND \(Self.isRaised)
      """
    try poll(within: seconds) { try database.texts(unfinished).isEmpty }
    return try deliveries()
  }

  /// Has all that waits be due now, leases among it.
  func makeDue() throws {
    try database.run(
      """
      UPDATE alert_deliveries
      SET next_attempt_at = now(), leased_until = NULL
      WHERE delivery_id IN (
        SELECT delivery_id FROM alert_deliveries WHERE state = 'pending' FOR UPDATE SKIP LOCKED
      )
      """)
  }

  /// Seconds from the last settlement until the next attempt, rounded.
  func wait() throws -> Int {
    try database.texts("SELECT round(extract(epoch FROM next_attempt_at - updated_at))::text FROM alert_deliveries")
      .compactMap(Int.init).first ?? -1
  }
}
