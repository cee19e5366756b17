import Foundation

/// A release instance of the whole service, started by `deploy/run` in a state directory of its own, with `deliver` stopped: the
/// benchmark measures what takes events in.
struct Instance {
  let state: URL
  let url: String
  let key: String
  let database: String

  static let checkout = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  init(port: Int, workers: Int) throws {
    state = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-benchmark-\(port)")
    url = "http://127.0.0.1:\(port)/api/v1/alerts"
    key = "benchmark-\(UUID().uuidString)"
    try run(
      "\(Self.checkout.path)/deploy/run", ["--detach", "--port", "\(port)", "--state", state.path],
      environment: [
        "ALERTING_API_KEY": key, "ALERTING_WORKERS": "1", "ALERTING_WORKERS_PROCESS_EVENT": "\(workers)",
        "ALERTING_LISTEN": "127.0.0.1",
      ])
    database = "postgresql:///tocsin?host=\(state.path)/run/postgres&user=tocsin"
    try run("supervisorctl", ["--configuration", "\(state.path)/supervisord.conf", "stop", "deliver:*"])
  }

  func stop() throws {
    try run("\(Self.checkout.path)/deploy/run", ["--stop", "--state", state.path])
    try FileManager.default.removeItem(at: state)
  }

  func sql(_ statements: String) throws {
    try run("psql", ["--quiet", "--set=ON_ERROR_STOP=1", database], input: statements)
  }

  /// Makes a tenant with a key of its own and so many policies, none of which matches ``Event/quiet``; each asks for one value of
  /// `event_type` and one of `user.name`.
  func makeTenant(_ tenant: String, policies: Int) throws -> String {
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
  func makeRaisingTenant(_ tenant: String) throws -> String {
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

/// The events that are sent.
enum Event {
  /// 260 bytes, met by no policy of ``Instance/makeTenant(_:policies:)``.
  static let quiet = padded(
    #"{"event_type":"login","user":{"name":"alice","id":42},"source_ip":"203.0.113.7","outcome":"#)

  private static func padded(_ start: String) -> String {
    let end = #""failure","note":""#
    return start + end + String(repeating: "x", count: 258 - start.utf8.count - end.utf8.count) + "\"}"
  }
}
