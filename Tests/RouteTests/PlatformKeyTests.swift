import API
import JSON
import Spool
import Store
import TestSupport
import Testing

@Suite("Keys of the platform") struct PlatformKeyTests {
  private let service: Service

  /// With a key of each role that is of no tenant: `*admin` and so on.
  init() throws {
    service = try Service()
    let store = service.database.store()
    for role in Role.allCases {
      try store.createKey("*" + role.rawValue, tenant: "*", KeyDraft(name: "*" + role.rawValue, role: role))
    }
  }

  private func id(of name: String) throws -> String {
    try service.database.texts("SELECT key_id FROM api_keys WHERE name = '\(name)'")[0]
  }

  @Test("Each call is answered in the tenant that it names, and not at all where it names none")
  func everyCall() throws {
    for entry in RoleTable.entries {
      let path = entry.path.replacing(#/\{\w+\}/#, with: "none")
      let role = try #require(Role.allCases.first { $0.allows(entry.permission) }).rawValue
      func answer(_ query: String, role: String) throws -> WebAnswer {
        try service.call(entry.method, path + query, key: "*" + role, body: "{}")
      }
      for tenant in ["default", "other"] {
        let answer = try answer("?tenant_id=\(tenant)", role: role)
        #expect(![400, 401, 403, 405].contains(answer.status) && answer.status < 500, "\(entry) \(answer.text)")
      }
      for query in ["", "?tenant_id=*", "?tenant_id=%2A"] {
        let answer = try answer(query, role: role)
        #expect(answer.status == 400, "\(entry) \(answer.text)")
        #expect(try answer.detail.contains("tenant_id"))
      }
      #expect(try answer("?tenant_id=nowhere", role: role).status == 403)
      for other in Role.allCases where !other.allows(entry.permission) {
        #expect(try answer("?tenant_id=other", role: other.rawValue).status == 403, "\(entry) \(other)")
      }
    }
  }

  @Test("What is done is done in the tenant that was named, and its audit log tells by which key")
  func acting() throws {
    let rule = #"{"rule_id":"r","name":"r","field":"a","operator":"eq","value":1}"#
    let made = try service.call("POST", "/rules/simple?tenant_id=other", key: "*admin", body: rule)
    #expect(made.status == 201, "\(made.text)")
    #expect(try made["tenant_id"] == "other")
    #expect(try made["created_by"] == .string(id(of: "*admin")))
    #expect(try service.call("GET", "/rules/r").status == 404)
    #expect(try service.call("GET", "/rules/r?tenant_id=default", key: "*viewer").status == 404)
    #expect(try service.call("GET", "/rules/r", key: "elsewhere").status == 200)
    #expect(try service.call("DELETE", "/rules/r?tenant_id=other", key: "*viewer").status == 403)
    let log = try service.call("GET", "/audit-log?tenant_id=other&per_page=2", key: "*admin")
    guard case .array(let entries) = try log["entries"] else { throw SystemFailure("read the entries", 0) }
    #expect(entries.map { $0.object?["action"] } == ["refuse", "create"])
    #expect(try entries.map { $0.object?["actor"]?.string } == [id(of: "*viewer"), id(of: "*admin")])
    let ofPlatform = "SELECT action FROM audit_log WHERE tenant_id = '*' AND action <> 'create'"
    #expect(try service.database.texts(ofPlatform) == [])
  }

  @Test("Events are matched against the policies of the tenant that was named")
  func events() throws {
    let policy = """
      {"policy_id":"p","name":"p","rules":[{"field":"a","operator":"eq","value":1}],"message_template":"m",
      "summary_template":"s","providers":[]}
      """
    #expect(try service.call("POST", "/policies?tenant_id=other", key: "*admin", body: policy).status == 201)
    func alerts(_ tenant: String) throws -> JSONValue? {
      let answer = try service.call("POST", "/process-event?tenant_id=\(tenant)", key: "*ingest", body: #"{"a":1}"#)
      #expect(answer.status == 200, "\(answer.text)")
      guard case .array(let alerts) = try answer["triggered_alerts"] else { return nil }
      return .number(JSONNumber(alerts.count))
    }
    #expect(try [alerts("other"), alerts("default"), alerts("other")] == [1, 0, 1])
    #expect(try service.database.texts("SELECT DISTINCT tenant_id FROM alerts") == ["other"])
  }

  @Test("A key that is made with one belongs to the tenant that was named, and acts there alone")
  func keys() throws {
    let body = #"{"name":"made","role":"admin"}"#
    let made = try service.call("POST", "/keys?tenant_id=other", key: "*admin", body: body)
    #expect(made.status == 201)
    #expect(try made["tenant_id"] == "other")
    let key = try #require(try made["key"]?.string)
    #expect(try service.call("GET", "/rules", key: key).status == 200)
    for tenant in ["default", "*"] {
      #expect(try service.call("GET", "/rules?tenant_id=\(tenant)", key: key).status == 403)
    }
    #expect(try service.call("GET", "/keys/\(id(of: "*admin"))?tenant_id=other", key: "*admin").status == 404)
  }

  @Test("One key has one limit, whichever tenants it names, and each tenant has its own")
  func limits() throws {
    let folder = try TemporaryFolder()
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
    service.settings["ALERTING_RATE_LIMIT_KEY"] = "1000"
    service.settings["ALERTING_RATE_LIMIT_TENANT"] = "1000"
    func left(_ query: String) throws -> [Int] {
      let field = try service.call("GET", "/rules" + query, key: "*viewer").headers["ratelimit"] ?? ""
      return field.matches(of: #/r=(\d+)/#).compactMap { Int($0.1) }
    }
    // What comes back meanwhile, five a millisecond at the most, tells nothing: the first of a bucket alone is exact.
    #expect(try left("?tenant_id=default")[1] == 4999)
    #expect(try left("?tenant_id=other")[1] == 4999)
    #expect(try left("").count == 2)
    #expect(try left("?tenant_id=nowhere").count == 2)
    service.settings["ALERTING_RATE_LIMIT_KEY"] = "1"
    let statuses = try (0..<40).map { number in
      try service.call("GET", "/policies?tenant_id=\(number % 2 == 0 ? "default" : "other")", key: "*viewer").status
    }
    #expect(statuses.contains(429))
    #expect(try service.call("GET", "/policies", key: "viewer").status == 200)
  }

  @Test("While the database is away nobody knows which tenants there are, so nothing is kept for such a key")
  func away() throws {
    let folder = try TemporaryFolder()
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
    service.settings["ALERTING_SPOOL_RESERVE"] = "0"
    func send() throws -> Int {
      try service.call("POST", "/process-event?tenant_id=other", key: "*ingest", body: "{}").status
    }
    #expect(try send() == 200)
    try TestDatabase.interrupt(service.database.texts("SELECT current_database()::text")[0]) {
      let status = try send()
      #expect(status == 503)
    }
  }

  @Test("What was spooled for a tenant by such a key, for the database went in the midst of it, may be replayed")
  func replay() throws {
    let store = service.database.store()
    let digest = KeyDigest(of: "*ingest").text
    #expect(try store.ingestEnd(ofKey: digest, tenant: "other") == .max)
    #expect(try store.ingestEnd(ofKey: KeyDigest(of: "*viewer").text, tenant: "other") == 0)
    #expect(try store.ingestEnd(ofKey: KeyDigest(of: "ingest").text, tenant: "other") == 0)
  }
}
