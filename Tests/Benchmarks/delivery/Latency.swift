import BenchmarkInstance
import Glibc
import Host
import TestSupport

/// The way of an event from its POST through nginx to a receiver, on a whole instance: its pool of `process-event`, its
/// PostgreSQL, and its `deliver`.
struct Latency {
  let instance: Instance
  private static let receivers = 10
  /// nginx closes a connection after a thousand requests.
  private static let requestsPerConnection = 500

  /// Milliseconds from the moment when a POST is due to the whole request at the receiver, sorted, with events for ten receivers
  /// in turn, of which the last may hang; that one's are left out. A POST that has to wait for the one before is late, and that
  /// counts.
  func measure(perSecond: Int, seconds: Int, isOneHanging: Bool) throws -> [Double] {
    let receiver = try ReceiverProgram()
    let tenant = "latency-\(Receiver.now)"
    let key = try makeTenant(tenant, port: receiver.port, isOneHanging: isOneHanging)
    defer { leave(tenant) }
    // The first requests of every kind find nothing prepared.
    try post(perSecond: perSecond, count: 50, key: key, counts: false)
    usleep(500_000)
    try post(perSecond: perSecond, count: perSecond * seconds, key: key, counts: true)
    try awaitDelivery(tenant)
    let arrivals = try receiver.arrivals().filter { $0.latency > 0 && $0.path.hasPrefix("/ok") }
    guard arrivals.count == perSecond * seconds * (Self.receivers - 1) / Self.receivers else {
      throw SystemFailure("deliver everything once", 0)
    }
    return arrivals.map { Double($0.latency) / 1000 }.sorted()
  }

  private func post(perSecond: Int, count: Int, key: String, counts: Bool) throws {
    var connection = try HTTPConnection(port: instance.port)
    let (begin, beginTime) = (Clock.monotonic, Receiver.now)
    for number in 0..<count {
      if number % Self.requestsPerConnection == 0 { connection = try HTTPConnection(port: instance.port) }
      let due = Double(number) / Double(perSecond)
      let wait = begin + due - Clock.monotonic
      if wait > 0 { usleep(UInt32(wait * 1e6)) }
      let sentAt = counts ? #","sent_at":\#(beginTime + Int(due * 1e6))"# : ""
      let body = #"{"n":\#(number % Self.receivers),"event_type":"login","user":{"name":"root"}\#(sentAt)}"#
      guard try connection.answer(to: request(body, key)).hasPrefix("HTTP/1.1 200") else {
        throw SystemFailure("take an event", 0)
      }
    }
  }

  private func request(_ body: String, _ key: String) -> [UInt8] {
    let head = """
      POST /api/v1/alerts/process-event HTTP/1.1\r
      Host: 127.0.0.1\r
      Authorization: Bearer \(key)\r
      Content-Type: application/json\r
      Content-Length: \(body.utf8.count)\r
      \r

      """
    return Array((head + body).utf8)
  }

  /// Makes webhooks, each with a policy of its own that asks for its number in `n`; its key.
  private func makeTenant(_ tenant: String, port: String, isOneHanging: Bool) throws -> String {
    let key = try instance.makeTenant(tenant, policies: 0)
    try instance.sql(
      """
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      SELECT
        '\(tenant)', 'p' || number, 'p' || number, 'webhook', true,
        json_build_object(
          'url', 'http://127.0.0.1:\(port)/' || CASE
            WHEN number < \(Self.receivers - 1) THEN 'ok/'
            WHEN \(isOneHanging) THEN 'hang/'
            ELSE 'last/'
          END || number),
        'benchmark'
      FROM generate_series(0, \(Self.receivers - 1)) AS number;
      INSERT INTO alert_policies (
        tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes, max_alerts_per_hour,
        created_by
      )
      SELECT
        '\(tenant)', 'p' || number,
        json_build_object(
          'name', 'P' || number, 'message_template', 'm', 'summary_template', 's', 'max_alerts_per_hour', 0,
          'providers', json_build_array('p' || number),
          'rules', json_build_array(json_build_object('field', 'n', 'operator', 'eq', 'value', number))),
        true, 'high', '{}', ARRAY['p' || number], 0, 0, 'benchmark'
      FROM generate_series(0, \(Self.receivers - 1)) AS number;
      """)
    return key
  }

  private func awaitDelivery(_ tenant: String) throws {
    let unsent = """
      SELECT count(*)
      FROM alert_deliveries
      WHERE tenant_id = '\(tenant)' AND state = 'pending' AND provider_id <> 'p\(Self.receivers - 1)'
      """
    let isDone = try poll(within: 60) {
      usleep(200_000)
      return try instance.sql(unsent) == "0\n"
    }
    if !isDone { throw SystemFailure("deliver everything", 0) }
  }

  /// Has nothing more sent to the receiver that is gone.
  private func leave(_ tenant: String) {
    do {
      try instance.sql("UPDATE alert_providers SET enabled = false WHERE tenant_id = '\(tenant)'")
    } catch {
      print("the deliveries of \(tenant) go on: \(error)")
    }
  }
}
