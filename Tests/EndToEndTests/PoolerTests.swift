import Foundation
import Glibc
import Matching
import Postgres
import Store
import JSON
import TestSupport
import Testing

@Suite("Behind a connection pooler")
struct PoolerTests {
  @Test("All of the service runs through two sessions of pgbouncer in transaction mode")
  func transactionMode() async throws {
    let database = try TestDatabase()
    let pooler = try await Pooler(sessions: 2, to: database)
    let receiver = try HTTPReceiver()
    let instance = try await Instance(settings: [
      "ALERTING_DATABASE_URL": pooler.url, "ALERTING_DATABASE_PREPARE": "off", "ALERTING_WORKERS_PROCESS_EVENT": "4",
      "ALERTING_OUTBOUND_ALLOW": "127.0.0.0/8",
    ])
    for (route, document) in [
      (
        "providers",
        #"{"provider_id":"hook","name":"Hook","provider_type":"webhook","config":{"url":"\#(receiver.plainURL)/hook"}}"#
      ),
      (
        "policies",
        #"""
        {"policy_id":"roots","name":"Root","rules":[{"field":"user","operator":"eq","value":"root"}],
        "message_template":"m","summary_template":"s","providers":["hook"],"max_alerts_per_hour":5}
        """#
      ),
    ] {
      let answer = try await instance.send(
        "/api/v1/alerts/\(route)", method: "POST", key: instance.key, body: Data(document.utf8))
      try #require(answer.status == 201, "\(answer.text)")
    }
    let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<40 {
        group.addTask {
          try await instance.send(
            "/api/v1/alerts/process-event", method: "POST", key: instance.key,
            body: Data(#"{"user":"root","event_id":"\#(number)"}"#.utf8)
          ).status
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(statuses == Array(repeating: 200, count: 40))
    try await wait(for: "the five alerts at the receiver") { try receiver.requests(to: "/hook").count == 5 }
    let alerts = try await instance.send("/api/v1/alerts/alerts", key: instance.key).json
    #expect(alerts["total"] as? Int == 5)
    #expect(
      try database.texts(
        "SELECT decision || ' ' || sum(events) FROM alert_decision_counts GROUP BY decision ORDER BY 1")
        == ["capped 35", "raised 5"])
    #expect(try await instance.stop().status == 0)
  }

  @Test("Of two tenants that take turns on one session each has its own rows, and nothing of it is left in the session")
  func takingTurns() async throws {
    let database = try TestDatabase()
    let pooler = try await Pooler(sessions: 1, to: database)
    let tenants = ["acme", "umbrella"]
    for tenant in tenants { try database.run("INSERT INTO tenants (tenant_id) VALUES ('\(tenant)')") }
    let stores = tenants.map { tenant in
      let store = Store(url: pooler.url, as: .policies, prepares: false)
      store.actor = Actor(.job, id: "test", tenant: tenant)
      return store
    }
    let policy = try Policy(
      json: [
        "name": "Root", "rules": [["field": "user", "operator": "eq", "value": "root"]], "message_template": "m",
        "summary_template": "s", "providers": [],
      ])
    let page = Page(number: 1, size: 10)
    let session = try Connection(url: pooler.url, prepares: false)
    let state = Statement(
      "state", "SELECT current_user || coalesce(current_setting('tocsin.tenant', true), ''), pg_backend_pid()")
    let backend = try session.run(state)[0].int(1)
    for number in 0..<10 {
      for (tenant, store) in zip(tenants, stores) {
        _ = try store.createPolicy(tenant: tenant, id: "p-\(number)", policy, by: "test")
        // Whatever tenant a statement names, the transaction's is what it gets.
        let totals = try tenants.map { try store.policies(tenant: $0, page: page).total }
        #expect(totals == tenants.map { $0 == tenant ? number + 1 : 0 })
        let found = try session.run(state)[0]
        #expect(found.text(0) == "tocsin" && found.int(1) == backend)
      }
    }
  }
}

/// pgbouncer in transaction mode, on a unix socket of its own.
private final class Pooler {
  let url: String
  private let folder: String
  private let process: Program

  init(sessions: Int, to database: TestDatabase) async throws {
    let server = try #require(URLComponents(string: database.url))
    let options = Dictionary(uniqueKeysWithValues: (server.queryItems ?? []).map { ($0.name, $0.value ?? "") })
    folder = "/tmp/tocsin-pooler-" + UUID().uuidString.prefix(8)
    url = "postgresql:///pooled?host=\(folder)&port=6432&user=tocsin"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: folder)
    // It does not run as root.
    let account = getuid() == 0 ? "user = postgres" : ""
    try """
    [databases]
    pooled = host=\(options["host"] ?? "") dbname=\(server.path.dropFirst()) user=\(options["user"] ?? "")
    [pgbouncer]
    \(account)
    listen_addr =
    listen_port = 6432
    unix_socket_dir = \(folder)
    auth_type = any
    pool_mode = transaction
    default_pool_size = \(sessions)
    """.write(toFile: folder + "/pgbouncer.ini", atomically: true, encoding: .utf8)
    process = try Program("/usr/sbin/pgbouncer", arguments: [folder + "/pgbouncer.ini"])
    let (socket, process) = (folder + "/.s.PGSQL.6432", process)
    try await wait(for: "pgbouncer") {
      if process.hasEnded { throw Overdue(description: "pgbouncer ended: \(process.standardError)") }
      return FileManager.default.fileExists(atPath: socket)
    }
  }

  deinit {
    process.signal(SIGKILL)
    _ = process.ending()
    do { try FileManager.default.removeItem(atPath: folder) } catch { print("\(folder) is left behind: \(error)") }
  }
}
