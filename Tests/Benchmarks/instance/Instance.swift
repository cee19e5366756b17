import Foundation

/// A release instance of the whole service, started by `deploy/run` in a state directory of its own, with `deliver` stopped: the
/// benchmark measures what takes events in.
package struct Instance {
  /// Its state directory.
  package let state: URL
  /// Where nginx listens.
  package let port: Int
  /// The URL of its API, without a slash at the end.
  package let url: String
  /// The URL of its database.
  package let database: String
  private let key: String

  private static let checkout = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  /// Starts it with so many workers that take events, and with more settings, and waits until it answers. It runs the programs
  /// of a directory; they are built where none is given.
  package init(port: Int, workers: Int, programs: String? = nil, settings: [String: String] = [:]) throws {
    self.port = port
    state = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-benchmark-\(port)")
    url = "http://127.0.0.1:\(port)/api/v1/alerts"
    key = "benchmark-\(UUID().uuidString)"
    try Self.removeRest(at: state)
    try run(
      "\(Self.checkout.path)/deploy/run",
      ["--detach", "--port", "\(port)", "--state", state.path] + (programs.map { ["--programs", $0] } ?? []),
      environment: [
        "ALERTING_API_KEY": key, "ALERTING_WORKERS": "1", "ALERTING_WORKERS_PROCESS_EVENT": "\(workers)",
        "ALERTING_LISTEN": "127.0.0.1",
      ].merging(settings) { $1 })
    database = "postgresql:///tocsin?host=\(state.path)/run/postgres&user=postgres"
    try supervise("stop", "deliver:*")
  }

  /// Has its alerts delivered.
  package func startDelivering() throws { try supervise("start", "deliver:*") }

  /// Has the supervisor do something with programs: `restart`, `process-event:*`.
  @discardableResult
  package func supervise(_ words: String...) throws -> String {
    try run("supervisorctl", ["--configuration", "\(state.path)/supervisord.conf"] + words)
  }

  /// The process ids of the workers of a route.
  package func workers(of route: String) throws -> [String] {
    try run("pgrep", ["--full", "^\(program(of: route))"]).split(separator: "\n").map(String.init)
  }

  /// The program of a route.
  package func program(of route: String) -> String { "\(state.path)/programs/routes/\(route)" }

  /// Ends and removes what an earlier run left that was cut short.
  private static func removeRest(at state: URL) throws {
    guard FileManager.default.fileExists(atPath: state.path) else { return }
    try run("\(checkout.path)/deploy/run", ["--stop", "--state", state.path])
    try FileManager.default.removeItem(at: state)
  }

  /// Ends it and removes all that it wrote; a failure is told and stops nobody.
  package func stop() {
    do {
      try run("\(Self.checkout.path)/deploy/run", ["--stop", "--state", state.path])
      try FileManager.default.removeItem(at: state)
    } catch {
      print("the instance could not be stopped: \(error)")
    }
  }

  /// Runs statements and answers what they print: rows of values with `|` between them.
  @discardableResult
  package func sql(_ statements: String) throws -> String {
    try run(
      "psql", ["--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", database], input: statements)
  }

  /// Makes a tenant with a key of its own and so many policies, each of which asks for one value of `event_type`,
  /// `type-0` to `type-49`, and one of `user.name`, `user-1` and so on.
  package func makeTenant(_ tenant: String, policies: Int) throws -> String {
    let key = "\(tenant)-\(key)"
    try sql(
      """
      INSERT INTO tenants (tenant_id) VALUES ('\(tenant)');
      INSERT INTO api_keys (tenant_id, key_id, name, role, digest)
      VALUES ('\(tenant)', 'key', 'benchmark', 'ingest', sha256('\(key)'));
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        created_by
      )
      SELECT
        '\(tenant)', 'policy-' || number,
        json_build_object(
          'name', 'Policy ' || number, 'message_template', '{user.name}', 'summary_template', '{user.name}',
          'providers', '[]'::json, 'rules', json_build_array(
            json_build_object('field', 'event_type', 'operator', 'eq', 'value', 'type-' || number % 50),
            json_build_object('field', 'user.name', 'operator', 'eq', 'value', 'user-' || number)
          )
        ),
        true, 'high', '{}', '{}', 0, 0, 'benchmark'
      FROM generate_series(1, \(policies)) AS number;
      """)
    return key
  }

  /// Makes a tenant whose one policy raises an alert with two deliveries for every event.
  package func makeRaisingTenant(_ tenant: String) throws -> String {
    let key = try makeTenant(tenant, policies: 0)
    try sql(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      SELECT '\(tenant)', id, id, 'webhook', true, '{"url": "http://127.0.0.1:9/"}', 'benchmark'
      FROM unnest('{first,second}'::text[]) AS id;
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        created_by
      )
      VALUES (
        '\(tenant)', 'all',
        '{"name": "All", "message_template": "{user.name} failed to log in", "summary_template": "Failed log-in",
          "providers": ["first", "second"], "max_alerts_per_hour": 0,
          "rules": [{"field": "event_type", "operator": "eq", "value": "login"}]}',
        true, 'high', '{}', '{first,second}', 0, 0, 'benchmark'
      );
      """)
    return key
  }
}
