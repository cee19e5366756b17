import Glibc
import TestSupport
import Testing

@Suite("Deliveries while processes and the database come and go") struct ChaosTests {
  /// The same at full size, with a server that crashes, is `delivery-benchmark chaos`.
  @Test("Everything arrives, twice only with the same id, and each attempt is accounted for")
  func chaos() throws {
    let receiver = try HTTPReceiver()
    let outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
    let name = try #require(try outbox.database.texts("SELECT current_database()").first)
    var programs = try (0..<3).map { _ in try outbox.start() }
    for round in 0..<12 {
      try outbox.raise(50, for: "hook")
      usleep(.random(in: 20_000...120_000))
      programs[round % 3].signal(SIGKILL)
      #expect(programs[round % 3].ending() == .signal(SIGKILL))
      programs[round % 3] = try outbox.start()
      if round == 6 { try TestDatabase.interrupt(name) { usleep(300_000) } }
    }
    let unleased = "SELECT 'waiting' FROM alert_deliveries WHERE state = 'pending' AND lease_token IS NULL LIMIT 1"
    try poll(within: 60) { try outbox.database.texts(unleased).isEmpty }
    // Those that live finish what they have begun; then nobody is left to settle what is leased.
    for program in programs { try program.terminate() }
    for program in programs { #expect(program.ending() == .exit(0)) }
    try outbox.makeDue()
    try outbox.start()
    try poll(within: 60) { try outbox.deliveries().allSatisfy { $0.hasPrefix("hook sent") } }
    try check(outbox, try receiver.requests().compactMap { $0.headers["webhook-id"] })
  }

  private func check(_ outbox: Outbox, _ arrivals: [String]) throws {
    let times = Dictionary(arrivals.map { ($0, 1) }, uniquingKeysWith: +)
    let rows = try outbox.database.texts(
      """
      SELECT
        concat_ws(
          ' ', delivery_id, delivery.state, delivery.attempts = count(*), count(*) FILTER (WHERE verdict = 'sent'),
          count(*) FILTER (WHERE verdict = 'unknown'))
      FROM alert_deliveries AS delivery
      JOIN alert_delivery_attempts USING (tenant_id, delivery_id)
      GROUP BY tenant_id, delivery_id
      """
    ).map { $0.split(separator: " ").map(String.init) }
    #expect(rows.count == 600)
    #expect(times.count == 600)
    for row in rows {
      let unknown = try #require(Int(row[4]))
      #expect(row[1...3] == ["sent", "t", "1"])
      #expect((1...1 + unknown).contains(times[row[0], default: 0]))
    }
  }
}
