import Glibc
import JSON
import Store
import TestSupport
import Testing

@Suite("What holds for every route") struct ConventionTests {
  let service: Service

  init() throws { service = try Service() }

  static let rule = #"{"name":"r","field":"a","operator":"eq","value":1}"#

  private func expectProblem(_ answer: WebAnswer, _ status: Int) throws {
    #expect(answer.status == status)
    #expect(answer.headers["content-type"] == "application/problem+json")
    #expect(try answer["type"] == "about:blank")
    #expect(try answer["status"] == .number(JSONNumber(status)))
    #expect(try answer["title"]?.string?.isEmpty == false)
    #expect(try answer.detail.hasSuffix("."))
  }

  @Test(
    "Without a valid key nothing is answered",
    arguments: ["policies", "rules", "providers", "alerts", "audit-log", "deliveries", "suppressions", "keys"])
  func keys(route: String) throws {
    for key in [nil, "", "wrong", "test-token", "admin'--", "adm\0in", "ad min"] {
      let answer = try service.call("GET", "/\(route)", key: key)
      try expectProblem(answer, 401)
      #expect(answer.headers["www-authenticate"] == "Bearer")
    }
    #expect(try service.call("GET", "/\(route)").status == 200)
  }

  @Test("A key with a typo is told so, also where nobody can be asked; an older key without a checksum works")
  func mistypedKey() throws {
    let store = service.database.store()
    let (key, older) = (KeyForm.make(), "tocsin_" + String(repeating: "5eed", count: 16))
    for key in [key, older] { try store.createKey(key, tenant: "default", KeyDraft(name: "k", role: .viewer)) }
    for key in [key, older] { #expect(try service.call("GET", "/rules", key: key).status == 200) }
    let typo = key.dropLast() + (key.last == "0" ? "1" : "0")
    try TestDatabase.interrupt(service.database.texts("SELECT current_database()::text")[0]) {
      let answer = try service.call("GET", "/rules", key: String(typo))
      try expectProblem(answer, 401)
      #expect(answer.headers["www-authenticate"] == "Bearer")
      #expect(try answer.detail.contains("mistyped"))
    }
    // On a busy machine the worker may need more than one look to find the database again.
    #expect(try poll { try service.call("GET", "/rules").status == 200 })
    let wrong = try service.call("GET", "/rules", key: KeyForm.make())
    try expectProblem(wrong, 401)
    #expect(try !wrong.detail.contains("mistyped"))
  }

  @Test("Nothing that a caller sends forges a line of the log, or has a terminal do anything")
  func logs() throws {
    let name = try service.database.texts("SELECT current_database()::text")[0]
    // Refused calls are told in the log where the database takes no entry of them.
    try service.database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let evil = "\u{1B}[2J\n2026-05-07T10:00:00Z rules info: forged\r\u{9B}1m\u{202E}\u{7F}"
    let answer = try service.call("GET", "/rules/\(evil)?x=\(evil)", key: "none", type: evil, prefer: evil, from: evil)
    #expect(answer.status == 401)
    let log = try service.worker("rules").program.standardError
    #expect(log.contains("a refused call is not in the audit log"))
    #expect(!log.contains("\n2026-05-07T10:00:00Z"))
    #expect(log.contains(#"\u{1b}[2J\n2026-05-07"#))
    #expect(
      log.unicodeScalars.allSatisfy { $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory) })
  }

  @Test("A revoked key is refused from the next request on")
  func revokedKey() throws {
    let store = service.database.store()
    let key = try store.createKey("short-lived", tenant: "default", KeyDraft(name: "k", role: .viewer))
    #expect(try service.call("GET", "/rules", key: "short-lived").status == 200)
    #expect(try store.revokeKey(id: key.id, tenant: "default"))
    try expectProblem(service.call("GET", "/rules", key: "short-lived"), 401)
  }

  @Test(
    "A method that a path does not take is 405 with those it takes",
    arguments: [
      ("PATCH", "/policies", "GET, POST, HEAD"), ("POST", "/policies/x", "GET, PUT, DELETE, HEAD"),
      ("DELETE", "/alerts", "GET, HEAD"), ("GET", "/alerts/x/resolve", "PUT"), ("POST", "/health", "GET, HEAD"),
      ("POST", "/deliveries", "GET, HEAD"), ("PUT", "/deliveries/retry", "POST"),
      ("GET", "/deliveries/x/retry", "POST"), ("PUT", "/keys/x", "GET, DELETE, HEAD"),
      ("GET", "/keys/x/rotate", "POST"),
      ("OPTIONS", "/providers/x", "GET, PUT, DELETE, HEAD"),
    ])
  func methods(method: String, path: String, allowed: String) throws {
    let answer = try service.call(method, path, body: "{}")
    try expectProblem(answer, 405)
    let methods = answer.headers["allow"]?.split(separator: ", ").map(String.init) ?? []
    #expect(Set(methods) == Set(allowed.split(separator: ", ").map(String.init)))
  }

  @Test(
    "A path that leads nowhere is 404",
    arguments: ["/policies/a/b", "/alerts/a/reopen", "/rules/%ZZ", "/rules/%FF", "/rules/a%00b", "/healthy", "/rulesx"])
  func paths(path: String) throws {
    let route = ["/healthy": "health", "/rulesx": "rules"][path] ?? String(path.dropFirst().prefix { $0 != "/" })
    let root = route == "health" ? "" : "/api/v1/alerts"
    let parameters = ["REQUEST_METHOD": "GET", "REQUEST_URI": root + path, "HTTP_AUTHORIZATION": "Bearer admin"]
    try expectProblem(service.worker(route).socket.answer(to: parameters), 404)
  }

  @Test("A path is percent-decoded once, segment by segment")
  func decoding() throws {
    #expect(try service.call("POST", "/rules", body: "{\"rule_id\":\"a.b\"," + Self.rule.dropFirst()).status == 201)
    #expect(try service.call("GET", "/rules/%61%2Eb").status == 200)
    let answer = try service.call("GET", "/rules/a%2Fb%2561é%22")
    try expectProblem(answer, 404)
    #expect(try answer.detail.contains(#"a/b%61é""#))
  }

  @Test("HEAD is GET without the content")
  func head() throws {
    let got = try service.call("GET", "/rules")
    let head = try service.call("HEAD", "/rules")
    #expect(head.status == 200)
    #expect(head.body.isEmpty)
    #expect(head.headers == got.headers)
  }

  @Test(
    "A query parameter that says something impossible is 422 and named",
    arguments: [
      ("/rules?page=-1", "?page"), ("/rules?page=0", "?page"), ("/rules?page=1.5", "?page"), ("/rules?page=", "?page"),
      ("/rules?page=99999999999999999999", "?page"), ("/rules?per_page=101", "?per_page"),
      ("/rules?per_page=0", "?per_page"), ("/policies?page=-1", "?page"), ("/providers?page=-1", "?page"),
      ("/suppressions?page=-1", "?page"), ("/alerts?page=-1", "?page"), ("/rules?enabled=perhaps", "?enabled"),
      ("/alerts?severity=huge", "?severity"), ("/alerts?status=open", "?status"),
      ("/alerts?start_time=yesterday", "?start_time"), ("/alerts?end_time=2026-02-30T00:00:00Z", "?end_time"),
      ("/deliveries?page=-1", "?page"), ("/deliveries?state=lost", "?state"), ("/deliveries?from=yesterday", "?from"),
      ("/deliveries?to=2026-02-30T00:00:00Z", "?to"), ("/deliveries?provider_id=%00", "?provider_id"),
      ("/alerts?policy_id=%FF", "?policy_id"), ("/alerts?policy_id=%00", "?policy_id"), ("/rules?%=1", "?%"),
    ])
  func queries(path: String, parameter: String) throws {
    let answer = try service.call("GET", path)
    try expectProblem(answer, 422)
    #expect(try answer.pointers == [parameter])
  }

  @Test("A query parameter that nobody asks for is passed over")
  func unknownParameter() throws {
    #expect(try service.call("GET", "/rules?colour=red&_=1&&page=1").status == 200)
  }

  @Test("A body that is no JSON is 400 with the byte where it stops being JSON")
  func notJSON() throws {
    let answer = try service.call("POST", "/rules", body: #"{"name":"r",}"#)
    try expectProblem(answer, 400)
    #expect(try answer.detail.contains("byte 12"))
    try expectProblem(service.call("POST", "/rules", body: ""), 400)
    try expectProblem(service.call("POST", "/rules", body: "name=r"), 400)
    try expectProblem(service.call("POST", "/rules", body: Self.rule + "{}"), 400)
    try expectProblem(
      service.call("POST", "/rules", body: Array(#"{"name":""#.utf8) + [0xFF] + Array(#""}"#.utf8)), 400)
    let deep = String(repeating: "[", count: 10_000) + String(repeating: "]", count: 10_000)
    try expectProblem(service.call("POST", "/rules", body: deep), 400)
    #expect(try service.call("GET", "/rules")["total"] == 0)
  }

  @Test("A content type that is not JSON is 415 and told what to send; none at all is taken as JSON")
  func contentTypes() throws {
    for type in ["text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8"] {
      let answer = try service.call("POST", "/rules", type: type, body: Self.rule)
      try expectProblem(answer, 415)
      #expect(try answer.detail.contains("Content-Type: application/json"))
    }
    for type in [nil, "application/json", "Application/JSON; charset=UTF-8", "application/problem+json"] {
      #expect(try service.call("POST", "/rules", type: type, body: Self.rule).status == 201)
    }
  }

  @Test("A body past a route's limit is 413 and told the limit, and the next request is answered")
  func tooLarge() throws {
    let answer = try service.call("POST", "/rules", body: [UInt8](repeating: 0x20, count: 2 << 20))
    try expectProblem(answer, 413)
    #expect(try answer.detail.contains("1048576"))
    #expect(try service.call("GET", "/rules").status == 200)
  }

  @Test("Every fault of a document is listed with its pointer")
  func faults() throws {
    let answer = try service.call(
      "POST", "/policies",
      body: """
        {"name":"","severity":"huge","rules":[{"field":"a","operator":"eq","value":1},{"field":"b","operator":"like"}],
        "throttle_minutes":-1,"max_alerts_per_hour":1.5,"providers":"p","time_window":{"start_time":"25:00"},
        "message_template":1,"colour/x":"red"}
        """)
    try expectProblem(answer, 422)
    let pointers = try Set(answer.pointers)
    for pointer in [
      "/name", "/severity", "/rules/1/operator", "/throttle_minutes", "/max_alerts_per_hour", "/providers",
      "/time_window/start_time", "/message_template", "/summary_template", "/colour~1x",
    ] { #expect(pointers.contains(pointer), "\(pointer) is not among \(pointers)") }
  }

  @Test("Of very many faults a hundred are listed")
  func manyFaults() throws {
    let members = (0..<5000).map { "\"unknown-\($0)\":1" }.joined(separator: ",")
    let answer = try service.call("POST", "/rules", body: "{\(members)}")
    try expectProblem(answer, 422)
    #expect(try answer.pointers.count == 100)
  }

  @Test("Without a database the answer is 503, and when it is back the same worker answers")
  func databaseAway() throws {
    #expect(try service.call("GET", "/rules").status == 200)
    let name = try service.database.texts("SELECT current_database()::text")[0]
    // The worker's session ends and no new one is let in, as far as it can tell the server has gone.
    try service.database.administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS false")
    try service.database.administer(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'")
    for path in ["/rules", "/health"] {
      let answer = try service.call("GET", path)
      try expectProblem(answer, 503)
      #expect(answer.headers["retry-after"] == "5")
      #expect(!answer.text.contains(name))
    }
    try service.database.administer("ALTER DATABASE \(name) ALLOW_CONNECTIONS true")
    for path in ["/rules", "/health"] { #expect(try poll(within: 2) { try service.call("GET", path).status == 200 }) }
    #expect(try service.worker("rules").program.standardError.contains("request=\"test-request\""))
  }

  @Test("An error that nobody expected is 500, told without the words of the database and logged with them")
  func unexpected() throws {
    try service.database.run("DROP TABLE alert_rules CASCADE")
    let answer = try service.call("GET", "/rules?field=secret")
    try expectProblem(answer, 500)
    #expect(!answer.text.contains("alert_rules"))
    let log = try service.worker("rules").program.standardError
    #expect(log.contains("alert_rules") && log.contains("test-request"))
    #expect(!log.contains("secret"))
  }

  @Test("Health needs no key")
  func health() throws {
    let answer = try service.call("GET", "/health", key: nil)
    #expect(answer.status == 200)
    #expect(try answer["status"] == "ok")
    #expect(try answer["jobs"]?.object?.members.map(\.key) == ["check-storage", "deliver", "replay"])
  }

  @Test("Health is red once a job has not run for three minutes on any host, and says which")
  func missedJob() throws {
    try service.database.run(
      """
      DELETE FROM alert_job_runs;
      INSERT INTO alert_job_runs (job, host, ran_at)
      VALUES
        ('check-storage', 'a', now()), ('deliver', '', now() - interval '1 hour'),
        ('deliver', 'a', now() - interval '175 seconds'), ('deliver', 'b', now() - interval '400 seconds');
      """)
    #expect(try service.call("GET", "/health", key: nil).status == 200)
    try service.database.run("UPDATE alert_job_runs SET ran_at = ran_at - interval '10 seconds'")
    let answer = try service.call("GET", "/health", key: nil)
    try expectProblem(answer, 503)
    #expect(try answer.detail.hasPrefix("The job deliver has not run on any host since "))
  }

  @Test("Health says that the database is away even where something takes connections and never answers")
  func silentDatabase() throws {
    var name = Array("/tmp/tocsin-silent-XXXXXX".utf8CString)
    try #require(mkdtemp(&name) != nil)
    let folder = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    defer { rmdir(folder) }
    let silent = try FastCGISocket(at: folder + "/.s.PGSQL.5432")
    let program = try Program(
      "health",
      environment: [
        "REQUEST_METHOD": "GET", "REQUEST_URI": "/health",
        "ALERTING_DATABASE_URL": "postgresql:///tocsin?host=\(folder)",
      ])
    #expect(program.ending(within: 10) == .exit(0))
    try expectProblem(WebAnswer(cgi: program.standardOutput), 503)
    withExtendedLifetime(silent) {}
  }

  @Test("Each program answers one request as plain CGI as it does over FastCGI")
  func plainCGI() throws {
    for path in [
      "/policies", "/rules", "/providers", "/alerts", "/deliveries", "/suppressions", "/keys", "/health", "/rules/none",
      "/rules?page=x",
    ] {
      let answer = try service.callCGI("GET", path)
      let expected = try service.call("GET", path)
      #expect(answer.status == expected.status)
      #expect(answer.headers == expected.headers)
      #expect(answer.body == expected.body)
    }
    #expect(try service.callCGI("POST", "/rules", body: Self.rule).status == 201)
    #expect(try service.callCGI("GET", "/rules", key: nil).status == 401)
  }

  @Test("Without its database's address a program says which setting is missing")
  func missingSetting() throws {
    let program = try Program("rules", environment: ["REQUEST_METHOD": "GET"])
    #expect(program.ending() == .exit(1))
    #expect(program.standardError.contains("ALERTING_DATABASE_URL"))
  }
}
