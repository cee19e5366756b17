import Delivery
import Glibc
import Host
import Store
import TestSupport

/// Deliveries a second from one `deliver` process to a local receiver, from the first attempt's start to the last settlement.
func throughput(deliveries: Int) throws -> Double {
  let arena = try Arena()
  try arena.makeProviders((0..<10).map { "/ok/\($0)" })
  try arena.raise(deliveries, providers: 10)
  let program = try arena.startDeliver()
  defer { program.signal(SIGKILL) }
  try arena.drain(within: 300)
  let seconds = try arena.database.texts(
    """
    SELECT extract(epoch FROM max(delivery.updated_at) - min(attempt.started_at))::text
    FROM alert_deliveries AS delivery, alert_delivery_attempts AS attempt
    WHERE attempt.started_at = (SELECT min(started_at) FROM alert_delivery_attempts)
    """)
  guard try arena.arrivals().count == deliveries else { throw SystemFailure("deliver everything once", 0) }
  return Double(deliveries) / (seconds.first.flatMap(Double.init) ?? 0)
}

/// Milliseconds of looking for and leasing 100 deliveries of ten providers: the median without, and with a million rows that
/// wait for another.
func leasing() throws -> (alone: Double, besideMillion: Double) {
  let arena = try Arena()
  try arena.makeProviders((0..<11).map { "/ok/\($0)" })
  let store = arena.database.store()
  func median() throws -> Double {
    var times: [Double] = []
    for _ in 0..<60 {
      try arena.raise(100, providers: 10)
      let begin = Clock.monotonic
      let due = try store.dueProviders(after: nil, limit: 500).filter { $0.isDue && $0.key.providerID != "p10" }
      let leased = try store.leaseDeliveries(of: due.map { ProviderRoom(provider: $0.key, room: 10) }, seconds: 60)
      times.append((Clock.monotonic - begin) * 1000)
      guard leased.count == 100 else { throw SystemFailure("lease", 0) }
      try store.settleDeliveries(
        leased.map {
          $0.settled(
            .sent(remark: nil), startedAt: Clock.monotonic, endedAt: Clock.monotonic, receiver: .sent, status: 200)
        })
    }
    return times.sorted()[times.count / 2]
  }
  _ = try median()
  let alone = try median()
  for part in 0..<20 {
    try arena.database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at)
      SELECT 'default', 'alert-' || number, 'p10', 'pending', now() + (number % 2 - 1) * interval '1 hour'
      FROM generate_series(\(part * 50_000 + 1), \(part * 50_000 + 50_000)) AS number
      """)
  }
  return (alone, try median())
}
