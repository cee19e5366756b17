import Host
import Postgres
import TestSupport
import Testing

@Suite("While the database is away")
struct AbsenceTests {
  static let routes = [
    ("GET", "/policies"), ("GET", "/rules"), ("GET", "/providers"), ("GET", "/alerts"), ("GET", "/suppressions"),
    ("GET", "/deliveries"), ("GET", "/health"), ("POST", "/process-event"),
  ]
  /// How long any answer may take, in seconds, on a machine that does much else: 2 is what it takes otherwise.
  static let longest = 6.0

  let cluster: TestCluster
  let service: Service

  init() throws {
    cluster = try TestCluster()
    service = try Service(on: TestDatabase(on: cluster))
  }

  @Test(
    "Every route says so soon, again and again, and the same workers answer soon once it is back",
    arguments: TestCluster.Trouble.allCases)
  func everyRoute(trouble: TestCluster.Trouble) throws {
    try expectRecovery()
    try cluster.begin(trouble)
    for round in 1...3 { try expectAbsence("\(trouble), round \(round)") }
    try cluster.end(trouble)
    try expectRecovery()
  }

  @Test("A server that takes no more connections is away as well, at once")
  func full() throws {
    var others = try (0..<TestCluster.connectionLimit).compactMap { _ in try connection() }
    #expect(others.count > 20)
    let start = Clock.monotonic
    let answer = try service.call("GET", "/rules")
    #expect(answer.status == 503)
    #expect(Clock.monotonic - start < Self.longest)
    let log = try service.worker("rules").program.standardError
    #expect(log.contains("too many clients already"))
    others = []
    #expect(try poll(within: 10) { try service.call("GET", "/rules").status == 200 })
  }

  private func connection() throws -> Connection? {
    do { return try Connection(url: cluster.url) } catch PostgresError.unreachable { return nil }
  }

  @Test("A server that takes no writes is away for what writes, and for nothing else")
  func readOnly() throws {
    try cluster.setReadOnly(true)
    let rule = #"{"name":"r","field":"user","operator":"eq","value":"root"}"#
    for _ in 1...3 {
      let start = Clock.monotonic
      #expect(try service.call("POST", "/rules/simple", body: rule).status == 503)
      #expect(try service.call("GET", "/rules").status == 200)
      #expect(Clock.monotonic - start < Self.longest)
    }
    try cluster.setReadOnly(false)
    #expect(try poll(within: 10) { try service.call("POST", "/rules/simple", body: rule).status == 201 })
  }

  private func begin() throws -> [(path: String, connection: FastCGIConnection)] {
    try Self.routes.map { method, path in
      (path, try service.begin(method, path, body: method == "POST" ? Array("{}".utf8) : []))
    }
  }

  /// Asks all routes at once: `process-event` may take its event in all the same.
  private func expectAbsence(_ comment: Comment) throws {
    let start = Clock.monotonic
    for (path, connection) in try begin() {
      let answer = try WebAnswer(cgi: connection.output())
      #expect(Clock.monotonic - start < Self.longest, comment)
      if path == "/process-event", answer.status == 202 { continue }
      #expect(answer.status == 503, comment)
      #expect(answer.headers["retry-after"] == "5", comment)
    }
  }

  private func expectRecovery() throws {
    let start = Clock.monotonic
    let isBack = try poll(within: 10) {
      let statuses = try begin().map { try WebAnswer(cgi: $0.connection.output()).status }
      return statuses.allSatisfy { $0 == 200 || $0 == 202 }
    }
    #expect(isBack)
    #expect(Clock.monotonic - start < Self.longest)
  }
}
