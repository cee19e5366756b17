import Host
import JSON
import Spool
import Store
import TestSupport
import Testing

@Suite("Tokens of an identity provider") struct TokenTests {
  private let service: Service
  private let folder: TemporaryFolder
  private let signer = TokenSigner(.ec)

  init() throws {
    service = try Service()
    folder = try TemporaryFolder()
    service.settings["ALERTING_JWKS_FILE"] = file
    service.settings["ALERTING_JWT_ISSUER"] = "https://id.example.com"
    service.settings["ALERTING_JWT_AUDIENCE"] = "tocsin"
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
    service.settings["ALERTING_SPOOL_RESERVE"] = "0"
    try File.replace(file, with: TokenSigner.keySet(signer.jwk))
  }

  private var file: String { folder.path + "/jwks.json" }

  private func token(_ changes: JSONObject = JSONObject(), by signer: TokenSigner? = nil) -> String {
    let claims: JSONObject = [
      "iss": "https://id.example.com", "aud": "tocsin", "sub": "alice", "tenant": "default", "role": "operator",
      "exp": .number(JSONNumber(Clock.now + 3600)),
    ]
    return (signer ?? self.signer).token(claims.overlaid(with: changes))
  }

  @Test("A token lets its bearer do what the role may, in the tenant that it names; keys go on working")
  func good() throws {
    #expect(try service.call("GET", "/rules", key: token()).status == 200)
    let made = try service.call(
      "POST", "/suppressions", key: token(), body: #"{"policy_id":"p","suppressed_until":"2999-01-01T00:00:00Z"}"#)
    #expect(made.status == 201)
    #expect(try made["created_by"] == "user:alice")
    #expect(try made["tenant_id"] == "default")
    #expect(try service.call("POST", "/rules", key: token(), body: "{}").status == 403)
    #expect(try service.call("GET", "/suppressions", key: token(["tenant": "other"]))["total"] == 0)
    #expect(try service.call("GET", "/rules?tenant_id=other", key: token()).status == 403)
    #expect(try service.call("POST", "/process-event", key: token(["role": "ingest"]), body: "{}").status == 200)
    #expect(try service.call("GET", "/rules").status == 200)
  }

  @Test("A token that is not good is 401 with what is wrong with it, and no more is told")
  func bad() throws {
    let bad = [
      (token(["exp": 1]), "expired"), (token(["aud": "other"]), "audience"), (token(["iss": "other"]), "issuer"),
      (token(by: TokenSigner(.ec)), "signature"), (token(by: TokenSigner(.ec, id: "x")), "key set"), ("eyJ.a.b", "JWT"),
    ]
    for (token, word) in bad {
      let answer = try service.call("GET", "/rules", key: token)
      #expect(answer.status == 401)
      #expect(answer.headers["www-authenticate"] == #"Bearer error="invalid_token""#)
      #expect(try answer.detail.contains(word), "\(answer.text)")
    }
  }

  @Test("A role or a tenant that there is none of is 403, and makes none")
  func unknown() throws {
    for (changes, word) in [(["role": "boss"], "boss"), (["tenant": "nowhere"], "nowhere")] as [(JSONObject, String)] {
      let answer = try service.call("GET", "/rules", key: token(changes))
      #expect(answer.status == 403)
      #expect(try answer.detail.contains(word))
    }
    #expect(try service.database.texts("SELECT tenant_id FROM tenants ORDER BY 1") == ["default", "other"])
    try service.database.store().createKey("platform", tenant: "*", KeyDraft(name: "platform", role: .admin))
    let ofPlatform = token(["tenant": "*", "role": "admin"])
    #expect(try service.call("GET", "/rules?tenant_id=default", key: ofPlatform).status == 403)
  }

  @Test("Where no tokens are taken, one is a key that nobody has")
  func notTaken() throws {
    service.settings["ALERTING_JWKS_FILE"] = ""
    let answer = try service.call("GET", "/rules", key: token())
    #expect(answer.status == 401)
    #expect(answer.headers["www-authenticate"] == "Bearer")
  }

  @Test("A key set that is replaced holds soon, and one that cannot be used leaves that of before")
  func rotation() throws {
    let next = TokenSigner(.ed25519, id: "k2")
    let (old, new) = (token(), token(by: next))
    #expect(try service.call("GET", "/rules", key: old).status == 200)
    try File.replace(file, with: TokenSigner.keySet(next.jwk))
    #expect(try poll(within: 30) { try service.call("GET", "/rules", key: new).status == 200 })
    #expect(try service.call("GET", "/rules", key: old).status == 401)
    try File.replace(file, with: Array("{".utf8))
    let worker = try service.worker("rules").program
    #expect(
      try poll(within: 30) {
        let isTaken = try service.call("GET", "/rules", key: new).status == 200
        return isTaken && worker.standardError.contains("the key set cannot be used")
      })
  }

  @Test("While the database is away events with a good token are kept, and with no other")
  func away() throws {
    let token = token(["role": "ingest"])
    #expect(try service.call("POST", "/process-event", key: token, body: "{}").status == 200)
    try TestDatabase.interrupt(service.database.texts("SELECT current_database()::text")[0]) { () throws in
      #expect(try service.call("POST", "/process-event", key: token, body: "{}").status == 202)
      #expect(try service.call("POST", "/process-event", key: self.token(["exp": 1]), body: "{}").status == 401)
      #expect(try service.call("POST", "/process-event", key: self.token(["role": "viewer"]), body: "{}").status == 403)
      #expect(try service.call("GET", "/rules", key: self.token()).status == 503)
    }
    let name = try service.database.texts("SELECT current_database()::text")[0]
    let policy = """
      {"name":"p","rules":[{"field":"a","operator":"eq","value":1}],"message_template":"m","summary_template":"s",
      "providers":[]}
      """
    #expect(try poll(within: 10) { try service.call("POST", "/policies", body: policy).status == 201 })
    try service.database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    try service.kill("process-event")
    let answer = try service.call("POST", "/process-event", key: token, body: #"{"a":1}"#)
    #expect(answer.status == 202, "\(answer.text)")
    #expect(try kept() == [SpooledBody.Sender](repeating: .token(bearer: "user:alice"), count: 2))
  }

  /// Who sent what is kept.
  private func kept() throws -> [SpooledBody.Sender] {
    let spool = try #require(try Spool(SpoolFolder(folder.path + "/spool", reserve: 0)))
    return try spool.sealed(sealingMore: true).flatMap { name in
      let reader = try spool.open(name)
      var senders: [SpooledBody.Sender] = []
      while let (entry, _) = try reader.next() {
        guard case .body(let body) = entry else { throw SystemFailure("read the spool: \(entry)", 0) }
        senders.append(body.sender)
      }
      return senders
    }
  }

  @Test("A program that is told to take tokens and cannot says why, and does not start")
  func settings() throws {
    for (name, value) in [("ALERTING_JWT_AUDIENCE", ""), ("ALERTING_JWKS_FILE", "/nonexistent/jwks.json")] {
      var environment = service.environment
      environment[name] = value
      environment["REQUEST_METHOD"] = "GET"
      let program = try Program("rules", environment: environment)
      #expect(program.ending() == .exit(1))
      #expect(program.standardError.contains("ALERTING_JWKS_FILE"))
    }
  }
}
