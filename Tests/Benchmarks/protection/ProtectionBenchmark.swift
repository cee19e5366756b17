import BenchmarkInstance
import Foundation

/// What it costs `process-event` that nobody gets in where they do not belong: two instances of the same build on one machine,
/// measured in turn in one run.
///
///     swift run -c release protection-benchmark [rounds] [port] [programs]
///
/// Off is an instance as far as it goes without: no rate limits, a key without end and networks, nginx without limits of connections
/// and requests and without headers of its own, PostgreSQL without row-level security. On is one with rate limits for keys and
/// tenants, which nobody reaches, and a key that ends and is bound to networks, behind nginx and before PostgreSQL as they come.
///
/// Both take their role and tenant at the beginning of a transaction. What that costs is in the last row: the statement that
/// admits by pgbench, off alone, and on behind that beginning.
@main
struct ProtectionBenchmark {
  static let workers = 4

  static func main() throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 9
    let port = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8903
    let programs = CommandLine.arguments.dropFirst(3).first
    let off = try Instance(port: port, workers: workers, programs: programs)
    defer { off.stop() }
    try openNginx(of: off)
    let on = try Instance(
      port: port + 1, workers: workers, programs: programs,
      settings: ["ALERTING_RATE_LIMIT_KEY": "1000000", "ALERTING_RATE_LIMIT_TENANT": "1000000"])
    defer { on.stop() }
    try endRowSecurity(of: off)
    let instances = [off, on]
    let quietKeys = try instances.map { try $0.makeTenant("hundred", policies: 100) }
    let raisingKeys = try instances.map { try $0.makeRaisingTenant("raising") }
    let admissions = try zip(instances, raisingKeys).map { try AdmissionScript(of: $0, tenant: "raising", key: $1) }
    try restrictKeys(of: on)
    print(
      "\n| what | off /s | on /s | cost, median of \(rounds) pairs | least | most | bar |\n|---|---|---|---|---|---|---|"
    )
    try compare("100 policies, no match", rounds, bar: "10 %") { try post(to: instances[$0], key: quietKeys[$0]) }
    try compare("an alert with two deliveries", rounds, bar: "10 %") {
      try post(to: instances[$0], key: raisingKeys[$0])
    }
    try compare("its statement, pgbench", rounds, bar: "") {
      let script = $0 == 0 ? admissions[$0].script : admissions[$0].scriptInTransaction
      return try Load.pgbench(script, database: instances[$0].database, clients: workers)
    }
  }

  static func post(to instance: Instance, key: String) throws -> Double {
    try Load.post(Event.quiet, to: instance.url + "/process-event", key: key)
  }

  /// Measures off, 0, and on, 1, in pairs, and prints what on costs.
  static func compare(_ name: String, _ rounds: Int, bar: String, _ rate: (Int) throws -> Double) throws {
    let rates = try measure(rounds, rate)
    let costs = zip(rates[0], rates[1]).map { 1 - $1 / $0 }
    print(
      "| \(name) | \(Int(median(rates[0]))) | \(Int(median(rates[1]))) | \(percent(median(costs))) |"
        + " \(percent(costs.min() ?? 0)) | \(percent(costs.max() ?? 0)) | \(bar) |")
  }

  /// The rates of both, round by round, after one that does not count. Each second round goes backwards, so that what one
  /// instance leaves the disk to do is not always the other's burden.
  static func measure(_ rounds: Int, _ rate: (Int) throws -> Double) throws -> [[Double]] {
    var rates: [[Double]] = [[], []]
    for round in 0...rounds {
      for index in round.isMultiple(of: 2) ? [1, 0] : [0, 1] {
        let rate = try rate(index)
        if round > 0 { rates[index].append(rate) }
      }
    }
    return rates
  }

  /// Has nginx go on without what it has against clients who are too many.
  static func openNginx(of instance: Instance) throws {
    let file = instance.state.appendingPathComponent("server.conf")
    let limits = ["limit_conn", "limit_req", "add_header"]
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: false)
    try lines.filter { line in !limits.contains { line.contains($0) } }.joined(separator: "\n")
      .write(to: file, atomically: true, encoding: .utf8)
    try instance.supervise("signal", "HUP", "nginx")
  }

  /// Has PostgreSQL show everybody the rows of all tenants.
  static func endRowSecurity(of instance: Instance) throws {
    try instance.sql(
      """
      SELECT format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', oid::regclass)
      FROM pg_class
      WHERE relrowsecurity
      \\gexec
      """)
  }

  /// Has every key end some day, and come from one of several networks, of which the last is that of the load.
  static func restrictKeys(of instance: Instance) throws {
    try instance.sql(
      """
      UPDATE api_keys
      SET expires_at = now() + interval '1 day', allowed_cidrs = '{192.0.2.0/24,2001:db8::/32,10.0.0.0/8,127.0.0.0/8}'
      WHERE role = 'ingest'
      """)
  }

  static func percent(_ share: Double) -> String { String(format: "%.1f %%", share * 100) }
}
