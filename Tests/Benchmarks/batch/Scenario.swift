import BenchmarkInstance

/// A tenant, a body that is posted to it, and the figures of that.
final class Scenario {
  let name: String
  let body: Body
  /// Events a second that must be reached.
  let bar: Double?
  private let instance: Instance
  private let tenant: String
  private let key: String
  private let route: String
  /// How many bytes are sent each time, so that it takes a second or two.
  private let volume: Int
  private(set) var rates: [Double] = []
  /// Nanoseconds of the workers' processor time for each event.
  private(set) var costs: [Double] = []

  /// Makes the tenant, named after the scenario's place in the table, with 10,000 policies of which none matches.
  init(
    _ name: String, _ body: Body, in instance: Instance, route: String = "process-event", bar: Double? = nil,
    megabytes: Int = 512
  ) throws {
    self.name = name
    self.body = body
    self.bar = bar
    self.instance = instance
    self.route = route
    volume = megabytes << 20
    tenant = name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined()
    key = try instance.makeTenant(tenant, policies: 10_000)
  }

  /// Adds policies that each match one type of watched event, with members of a policy's document and the same for columns.
  func watch(policies: Int, throttleMinutes: Int = 0, throttleBy: String = "[]", providers: [String] = []) throws
    -> Scenario
  {
    let names = providers.map { "\"\($0)\"" }.joined(separator: ",")
    try instance.sql(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      SELECT '\(tenant)', id, id, 'webhook', true, '{"url": "http://127.0.0.1:9/"}', 'benchmark'
      FROM unnest('{\(names)}'::text[]) AS id;
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        created_by
      )
      SELECT
        '\(tenant)', 'watch-' || number,
        json_build_object(
          'name', 'Watch ' || number, 'message_template', '{user.name} failed to log in',
          'summary_template', 'Failed log-in', 'providers', '[\(names)]'::json, 'throttle_minutes', \(throttleMinutes),
          'throttle_by', '\(throttleBy)'::json, 'max_alerts_per_hour', 0, 'rules', json_build_array(
            json_build_object('field', 'event_type', 'operator', 'eq', 'value', 'watched-' || number))
        ),
        true, 'high', '{}', '{\(names)}', \(throttleMinutes), 0, 'benchmark'
      FROM generate_series(0, \(policies - 1)) AS number;
      """)
    return self
  }

  /// Sends the scenario's body, or another, many times and checks that what the database counts has grown by what was sent.
  func measure(counts: Bool = true, body other: Body? = nil) throws {
    let body = other ?? body
    let times = max(1, volume / body.bytes.count / Client.connections)
    let bodies = times * Client.connections
    let (decided, time) = (try decisions(), try processorTime())
    let seconds = try Client(port: instance.port).post(
      body, to: "/api/v1/alerts/\(route)", key: key, times: times,
      expecting: route == "process-event" ? "\"received\":\(body.events),\"matched\":\(body.matching)," : "{}")
    let grown = try decisions() - decided
    guard grown == bodies * body.matching else {
      throw CommandFailed(
        command: name, output: "\(bodies * body.matching) events matched, and \(grown) are on record")
    }
    guard counts else { return }
    rates.append(Double(bodies * body.events) / seconds)
    costs.append((try processorTime() - time) * 1e9 / Double(bodies * body.events))
  }

  /// How many events are on record, by their decisions; those of open alerts and raised ones must be as many.
  private func decisions() throws -> Int {
    let text = try instance.sql(
      """
      SELECT coalesce((SELECT sum(events) FROM alert_decision_counts WHERE tenant_id = '\(tenant)'), 0),
        (SELECT count(*) FROM alerts WHERE tenant_id = '\(tenant)')
        + coalesce((SELECT sum(events) FROM alert_repeats WHERE tenant_id = '\(tenant)'), 0);
      """)
    let figures = text.split { !$0.isNumber }.compactMap { Int($0) }
    guard figures.count == 2, figures[0] == figures[1] else { throw CommandFailed(command: name, output: text) }
    return figures[0]
  }

  /// Seconds that the workers have had.
  private func processorTime() throws -> Double {
    try instance.workers(of: route).reduce(0) { try $0 + ProcessFigures.processorTime($1) }
  }
}
