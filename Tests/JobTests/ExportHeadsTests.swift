import Glibc
import Host
import JSON
import Store
import TestSupport
import Testing

@Suite("The job that sends the heads of the audit log") struct ExportHeadsTests {
  private static let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

  private let database: TestDatabase
  private let receiver: HTTPReceiver

  init() throws {
    database = try TestDatabase()
    receiver = try HTTPReceiver()
    try note("acme")
  }

  private func note(_ tenant: String) throws {
    try database.run("SELECT audit_append('\(tenant)', 'key', 'k', NULL, 'create', 'rule', 'r', NULL, NULL)")
  }

  private func start(_ settings: [String: String] = [:]) throws -> Program {
    let environment = [
      "ALERTING_DATABASE_URL": database.url, "ALERTING_EXPORT_AUDIT_SECONDS": "0",
      "ALERTING_AUDIT_HEADS_URL": receiver.url + "/heads", "ALERTING_AUDIT_HEADS_SECRET": Self.secret,
      "ALERTING_CA_FILE": receiver.authority.certificateFile,
    ]
    return try Program("export-audit", environment: environment.merging(settings) { $1 })
  }

  /// The heads that a request brought: `acme 1:6f1c…`.
  private func heads(_ request: HTTPReceiver.Request) throws -> [String] {
    let event = try #require(try JSONValue(parsing: request.body).object)
    #expect(event["type"] == "audit.heads")
    guard case .array(let heads)? = event["data"]?.object?["heads"] else { return [] }
    return try heads.map { head in
      let members = try #require(head.object)
      let seq = String(decoding: members["seq"]?.json ?? [], as: UTF8.self)
      return "\(members["tenant_id"]?.string ?? "") \(seq):\(members["hash"]?.string ?? "")"
    }
  }

  private func heads() throws -> [String] {
    try database.store().auditChains(tenant: nil).map { "\($0.tenant) \($0.head)" }
  }

  @Test(
    "The heads come signed, as tocsin audit verify takes them, and again when they have changed, no sooner than they may"
  )
  func change() throws {
    try note("other")
    let program = try start(["ALERTING_AUDIT_HEADS_SECONDS": "600"])
    let first = try receiver.waitForRequests(1, to: "/heads")[0]
    #expect(try StandardWebhooks.verdict(on: first, secret: Self.secret) == "accepted")
    #expect(try heads(first) == heads())
    #expect(try poll { try database.texts("SELECT tenant_id FROM audit_anchors").count == 2 })
    try note("acme")
    try database.run("UPDATE audit_anchors SET anchored_at = now() - interval '601 seconds' WHERE tenant_id = 'acme'")
    #expect(try database.store().dueAnchors(seconds: 600).isEmpty)
    try database.run("UPDATE audit_anchors SET anchored_at = now() - interval '601 seconds'")
    let second = try receiver.waitForRequests(2, to: "/heads")[1]
    #expect(try heads(second) == heads().filter { $0.hasPrefix("acme 2:") })
    #expect(first.headers["webhook-id"] != second.headers["webhook-id"])
    #expect(program.standardError == "")
  }

  @Test("A receiver that fails holds up no syslog, is told to people, and is told the heads later")
  func failure() throws {
    let syslog = try SyslogReceiver()
    try receiver.answer("/heads", with: .init(500))
    let program = try start(["ALERTING_AUDIT_SYSLOG_URL": syslog.plainURL])
    _ = try receiver.waitForRequests(1, to: "/heads")
    #expect(poll { program.standardError.contains("the heads of the audit log were not told") })
    #expect(
      try poll {
        try database.texts("SELECT unnest(warnings) FROM alert_job_runs WHERE job = 'export-audit'").count == 1
      })
    try note("acme")
    #expect(try poll { try syslog.messages().count == 2 })
    #expect(try database.texts("SELECT tenant_id FROM audit_anchors") == [])
    // The next start tries it at once.
    try program.terminate()
    #expect(program.ending() == .exit(0))
    try receiver.answer("/heads", with: .init(200))
    let next = try start()
    #expect(try poll { try database.texts("SELECT tenant_id FROM audit_anchors") == ["acme"] })
    #expect(try heads(#require(receiver.requests(to: "/heads").last)) == heads())
    #expect(next.standardError == "")
  }

  @Test("A receiver that hangs holds up no syslog")
  func hang() throws {
    try receiver.answer("/heads", with: .init(ending: .hang))
    // The machine may be so slow that the time of the request is over before anything is sent to anybody.
    #expect(try (1...3).contains { _ in try isTimely() })
  }

  /// Whether an entry gets to a syslog server while the webhook is waited for, and it is told that the wait was in vain.
  private func isTimely() throws -> Bool {
    let syslog = try SyslogReceiver()
    let asked = try receiver.requests(to: "/heads").count
    let program = try start(["ALERTING_AUDIT_SYSLOG_URL": syslog.plainURL])
    _ = try receiver.waitForRequests(asked + 1, to: "/heads")
    try note("acme")
    let id = try #require(database.texts("SELECT max(seq)::text FROM audit_log").first)
    #expect(try poll { try syslog.messages().contains { $0.parameters["seq"] == id } })
    let isTimely = !program.standardError.contains("no answer in time")
    #expect(poll { program.standardError.contains("no answer in time") })
    return isTimely
  }

  @Test(
    "Settings that say nothing sensible are told in a sentence, and nothing begins",
    arguments: [
      ("ALERTING_AUDIT_HEADS_URL", "ftp://example.com"), ("ALERTING_AUDIT_HEADS_SECRET", "PLANTED"),
      ("ALERTING_AUDIT_HEADS_SECRET", ""), ("ALERTING_AUDIT_HEADS_SECONDS", "0"),
    ])
  func invalidSettings(name: String, value: String) throws {
    let program = try start([name: value])
    #expect(program.ending() == .exit(1))
    #expect(program.standardError.contains(name))
    #expect(!program.standardError.contains("PLANTED"))
  }
}
