import Glibc
import TestSupport

/// Three `deliver` processes that are killed over and over, with SIGKILL, while they deliver; and a server that crashes once:
/// SIGKILL to one of its backends makes PostgreSQL restart them all. It takes the rights to do that, and a server with
/// `synchronous_commit` on, as it is by default.
///
/// Every delivery has to arrive; one that arrives twice has an attempt for each time, of which all but one are unknown.
struct Chaos {
  let deliveries: Int
  let kills: Int

  func run() throws {
    let arena = try Arena()
    try arena.makeProviders((0..<10).map { "/ok/\($0)" })
    var programs = try (0..<3).map { _ in try arena.startDeliver() }
    for round in 0..<kills {
      try arena.raise(deliveries / kills, providers: 10)
      usleep(.random(in: 20_000...150_000))
      let victim = Int.random(in: 0..<3)
      programs[victim].signal(SIGKILL)
      guard programs[victim].ending() == .signal(SIGKILL) else { throw SystemFailure("kill a process", 0) }
      programs[victim] = try arena.startDeliver()
      if round == kills / 2 { try crash(arena.database) }
    }
    // What the killed ones held is leased again when their leases have run out, after three minutes.
    try arena.drain(within: 400)
    programs.forEach { $0.signal(SIGKILL) }
    try account(for: arena)
  }

  private func crash(_ database: TestDatabase) throws {
    let backend = try database.texts(
      "SELECT pid::text FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1")
    guard let pid = backend.first.flatMap({ pid_t($0) }), kill(pid, SIGKILL) == 0 else {
      throw SystemFailure("crash the server", errno)
    }
    poll(within: 60) { (try? database.texts("SELECT 'up'")) == ["up"] }
  }

  private func account(for arena: Arena) throws {
    var arrivals: [Substring: Int] = [:]
    for arrival in try arena.arrivals() { arrivals[arrival.delivery, default: 0] += 1 }
    let rows = try arena.database.texts(
      """
      SELECT
        concat_ws(
          ' ', delivery.delivery_id, delivery.state = 'sent' AND delivery.attempts = count(*), count(*),
          count(*) FILTER (WHERE verdict = 'sent'), count(*) FILTER (WHERE verdict = 'unknown'))
      FROM alert_deliveries AS delivery
      JOIN alert_delivery_attempts USING (tenant_id, delivery_id)
      GROUP BY delivery.tenant_id, delivery.delivery_id
      """)
    var wrong = 0
    for row in rows {
      let words = row.split(separator: " ")
      let times = arrivals[words[0], default: 0]
      let attempts = Int(words[2]) ?? 0
      if words[1] != "t" || words[3] != "1" || times < 1 || times > attempts { wrong += 1 }
    }
    let repeats = arrivals.values.reduce(0) { $0 + $1 - 1 }
    let unknown = rows.reduce(0) { $0 + (Int($1.split(separator: " ")[4]) ?? 0) }
    print(
      """
      \(rows.count) deliveries, \(arrivals.count) of them arrived; \(repeats) arrived again, with \(unknown) attempts unknown; \
      \(wrong) not accounted for
      """)
    if rows.count != deliveries / kills * kills || arrivals.count != rows.count || wrong > 0 { exit(1) }
  }
}
