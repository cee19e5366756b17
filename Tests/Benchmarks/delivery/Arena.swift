import Glibc
import Host
import JSON
import Store
import TestSupport

/// A service in a database of its own with a receiver and `deliver` programs.
final class Arena {
  let service: Service
  private let receiver: ReceiverProgram

  var database: TestDatabase { service.database }

  /// Starts the receiver.
  init() throws {
    service = try Service()
    receiver = try ReceiverProgram()
  }

  /// Makes webhooks, each with a policy of its own that asks for its number in `n`.
  func makeProviders(_ paths: [String], timeout: Int = 30) throws {
    for (number, path) in paths.enumerated() {
      try database.run(
        """
        INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
        VALUES (
          'default', 'p\(number)', 'p\(number)', 'webhook', true,
          '{"url": "http://127.0.0.1:\(receiver.port)\(path)", "timeout": \(timeout)}', 'benchmark')
        """)
      let policy = """
        {"name": "P\(number)", "message_template": "m", "summary_template": "s", "providers": ["p\(number)"],
         "max_alerts_per_hour": 0, "rules": [{"field": "n", "operator": "eq", "value": \(number)}]}
        """
      guard try service.call("POST", "/policies", body: policy).status == 201 else {
        throw SystemFailure("make a policy", 0)
      }
    }
  }

  /// Writes alerts, each for one of so many providers, as admission does.
  func raise(_ count: Int, providers: Int) throws {
    try database.run(
      """
      WITH raised AS (
        INSERT INTO alerts (
          tenant_id, alert_id, policy_id, severity, status, title, message, summary, event_data, throttle_key, triggered_at,
          updated_at)
        SELECT
          'default', gen_random_uuid(), 'p', 'high', 'active', 'Root logged in', 'At night', 'Root',
          '{"event_type": "login", "user": {"name": "root"}, "source": {"ip": "192.0.2.7"}}', '[]', now(), now()
        FROM generate_series(1, \(count))
        RETURNING alert_id
      )
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT 'default', alert_id, 'p' || row_number() OVER () % \(providers), 'pending', now()
      FROM raised
      """)
  }

  /// Starts a `deliver` that runs until it is asked to end.
  func startDeliver() throws -> Program {
    try Program(
      "deliver",
      environment: [
        "ALERTING_DATABASE_URL": database.url, "ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8",
        "ALERTING_DELIVER_SECONDS": "0",
      ])
  }

  /// Waits until nothing is pending any more.
  func drain(within seconds: Int) throws {
    let isEmpty = try poll(within: seconds) {
      usleep(50_000)
      return try database.texts("SELECT 'pending' WHERE EXISTS (SELECT FROM alert_deliveries WHERE state = 'pending')")
        .isEmpty
    }
    if !isEmpty { throw SystemFailure("deliver everything", 0) }
  }

  /// Ends the receiver; all that has arrived.
  func arrivals() throws -> [ReceiverProgram.Arrival] { try receiver.arrivals() }
}
