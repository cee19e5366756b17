import Postgres
import TestSupport
import Testing

@testable import Store

@Suite("How the lists of deliveries are found") struct LedgerPlanTests {
  @Test(
    "The deliveries of one provider are found among those of others without looking at these, and come in their order",
    arguments: [(name: "rare", rows: 2), (name: "usual", rows: 1998)], [false, true])
  func ofProvider(provider: (name: String, rows: Int), isAnalyzed: Bool) throws {
    let database = try TestDatabase()
    try database.run(
      """
      INSERT INTO alert_deliveries (tenant_id, alert_id, provider_id, state, next_attempt_at, created_at)
      SELECT
        'acme', 'x', CASE WHEN number % 1000 = 0 THEN 'rare' ELSE 'usual' END, 'sent', now(),
        timestamptz '2026-05-01' + number * interval '1 s'
      FROM generate_series(1, 2000) AS number
      """)
    if isAnalyzed { try database.run("ANALYZE") }
    var filter = DeliveryFilter()
    filter.providerID = provider.name
    let connection = try database.connect()
    // As the route has them: what a policy of the table does not let PostgreSQL find is told by the plan.
    try connection.run(script: "BEGIN; SET LOCAL ROLE tocsin_deliveries; SET LOCAL tocsin.tenant = 'acme'")
    let types = "text, text, text, text[], bigint, bigint, bigint, bigint"
    try connection.run(script: "PREPARE list (\(types)) AS \(DeliverySource(filter).listing.sql)")
    let arguments = "'acme', NULL, '\(provider.name)', NULL, NULL, NULL, 10, 0"
    let lines = try connection.run(
      Statement("plan", "EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) EXECUTE list (\(arguments))")
    ).map { $0.text(0) }
    let scans = lines.filter { $0.contains(" Scan ") && $0.contains("alert_deliveries") }
    #expect(scans.count == 2)
    #expect(scans.allSatisfy { $0.contains("Index Scan using alert_deliveries_of_provider ") })
    #expect(scans.contains { $0.contains("rows=\(provider.rows) ") })
    #expect(!lines.contains { $0.contains("Rows Removed by Filter") })
    // The page alone is sorted, once more at the end.
    #expect(lines.count { $0.contains("Sort Key") } == 1)
  }
}
