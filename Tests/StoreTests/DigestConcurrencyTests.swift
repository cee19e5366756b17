import Host
import Matching
import Postgres
import Store
import TestSupport
import Testing

/// How many connections hold back at once.
private let connections = 64

@Suite("Digests of many at once", .serialized) struct DigestConcurrencyTests {
  let tenant: Tenant

  init() throws {
    tenant = try Tenant()
    try tenant.makeProviders("pager")
    try tenant.avoidEndOfHour()
    for policy in ["a", "b", "c"] {
      try tenant.makePolicy(
        policy,
        [
          "throttle_minutes": 60, "max_alerts_per_hour": 0, "digest_minutes": 15, "throttle_by": ["user"],
          "providers": ["pager"],
        ])
    }
  }

  /// Each of the connections admits batches of the same keys in an order of its own.
  private static func admit(_ store: Store, connection: Int, round: Int) throws {
    let keys = ["a", "b", "c"].flatMap { policy in (0..<4).map { (policy: policy, key: "[[\($0)]]") } }
    let rotated = Array(keys[(connection % 12)...] + keys[..<(connection % 12)])
    let ordered = (connection + round) % 2 == 0 ? rotated : rotated.reversed()
    _ = try store.admit(
      tenant: "acme",
      Tenant.batch((ordered + ordered).map { Tenant.match($0.policy, key: $0.key) }, limit: 1, hasDigest: true))
  }

  /// What a policy's digests have told in all.
  private func told(_ policy: String) throws -> Int {
    try tenant.database.texts(
      """
      SELECT sum((held_back ->> 'events')::bigint)::text
      FROM alert_deliveries
      WHERE event = 'digest' AND held_back ->> 'policy_id' = '\(policy)'
      """
    ).compactMap(Int.init).first ?? 0
  }

  @Test("What 64 connections hold back is counted to the last event, and told once by whoever closes it of eight")
  func exact() throws {
    let url = tenant.database.url
    _ = try onThreads(connections) { connection in
      let store = Store(url: url, timeouts: .patient)
      for round in 0..<5 { try Self.admit(store, connection: connection, round: round) }
    }
    try tenant.database.run("UPDATE alert_held_back SET due_at = now(), opened_at = now()")
    let closed = try onThreads(8) { _ in try Store(url: url, timeouts: .patient).closeDigests(limit: 100) }
    #expect(closed.reduce(0, +) == 3)
    for policy in ["a", "b", "c"] {
      #expect(try tenant.counts(of: policy) == ["raised": 4, "throttled": try told(policy)])
      #expect(try told(policy) == connections * 5 * 8 - 4)
    }
    #expect(try tenant.database.texts("SELECT count(*)::text FROM alert_deliveries WHERE event = 'digest'") == ["3"])
  }

  @Test("Nothing is lost and nothing told twice while windows are closed under the feet of those who hold back")
  func closingMeanwhile() throws {
    let url = tenant.database.url
    let closed = try onThreads(connections + 4) { number in
      let store = Store(url: url, timeouts: .patient)
      guard number < 4 else {
        for round in 0..<8 { try Self.admit(store, connection: number - 4, round: round) }
        return 0
      }
      // One row at a time is made due, for two would be locked in any order.
      let connection = try Connection(url: url)
      let end = Statement(
        "end", "UPDATE alert_held_back SET due_at = now() WHERE policy_id = $1 AND throttle_key = '[[0]]'")
      return try (0..<120).reduce(0) { closed, round in
        try connection.run(end, .text(["a", "b", "c"][round % 3]))
        return try closed + store.closeDigests(limit: 100)
      }
    }
    #expect(closed.reduce(0, +) > 3)
    try tenant.database.run("UPDATE alert_held_back SET due_at = now()")
    _ = try tenant.store.closeDigests(limit: 100)
    #expect(try tenant.database.texts("SELECT policy_id FROM alert_held_back").isEmpty)
    for policy in ["a", "b", "c"] {
      #expect(try tenant.counts(of: policy) == ["raised": 4, "throttled": try told(policy)])
      #expect(try told(policy) == connections * 8 * 8 - 4)
    }
  }

  @Test("A closer and a transaction of several admissions that wait for each other both get through")
  func deadlock() throws {
    for policy in ["a", "b"] {
      _ = try tenant.store.admit(
        tenant: "acme", Tenant.batch([Tenant.match(policy), Tenant.match(policy)], hasDigest: true))
    }
    try tenant.database.run("UPDATE alert_held_back SET due_at = now()")
    // One thread at a time has it.
    nonisolated(unsafe) let replay = try tenant.database.connect()
    let hold = Statement("hold", "UPDATE alert_held_back SET events = events + 1 WHERE policy_id = $1")
    // PostgreSQL takes back who looks for a deadlock first: not this one.
    try replay.run(script: "BEGIN; SET LOCAL deadlock_timeout = '1min'")
    try replay.run(hold, .text("b"))
    let url = tenant.database.url
    let closed = try onThreads(2) { number in
      if number == 0 { return try Store(url: url, timeouts: .patient).closeDigests(limit: 100) }
      let waiting = Statement(
        "waiting",
        "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
      let connection = try Connection(url: url)
      while try connection.run(waiting).isEmpty {}
      // The closer has "a".
      try replay.run(hold, .text("a"))
      try replay.run(script: "COMMIT")
      return 0
    }
    #expect(closed[0] == 2)
    #expect(try [told("a"), told("b")] == [2, 2])
  }

  @Test("A window that a closer has in hand when it is killed is told by the next")
  func killed() throws {
    _ = try tenant.store.admit(
      tenant: "acme", Tenant.batch([Tenant.match("a"), Tenant.match("a")], hasDigest: true))
    try tenant.database.run("UPDATE alert_held_back SET due_at = now()")
    let held = try tenant.database.connect()
    try held.run(script: "BEGIN; SELECT FROM alert_held_back FOR UPDATE")
    let url = tenant.database.url
    let closed = try onThreads(2) { number in
      if number == 0 {
        do throws(PostgresError) {
          return try Store(url: url, timeouts: .patient).closeDigests(limit: 100)
        } catch .unreachable {
          return -1
        }
      }
      // Killed where it waits for the row.
      let connection = try Connection(url: url)
      let kill = Statement(
        "kill",
        """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%alert_held_back%'
        """)
      while try connection.run(kill).isEmpty {}
      return 0
    }
    #expect(closed.contains(-1))
    try held.run(script: "ROLLBACK")
    #expect(try tenant.store.closeDigests(limit: 100) == 1)
    #expect(try told("a") == 1)
  }
}
