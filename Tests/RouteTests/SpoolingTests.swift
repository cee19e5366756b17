import Foundation
import JSON
import Spool
import Store
import TestSupport
import Testing

/// What process-event does while the database is away, and what it keeps for later.
@Suite("process-event without its database") struct SpoolingTests {
  private let service: Service
  private let folder: TemporaryFolder

  init() throws {
    service = try Service()
    folder = try TemporaryFolder()
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
    service.settings["ALERTING_SPOOL_RESERVE"] = "0"
  }

  private var spool: SpoolFolder { SpoolFolder(folder.path + "/spool", reserve: 0) }

  private func send(_ body: String, type: String = "application/json", key: String = "ingest") throws -> WebAnswer {
    try service.call("POST", "/process-event", key: key, type: type, body: body)
  }

  private func status(_ body: String, type: String = "application/json", key: String = "ingest") throws -> Int {
    try send(body, type: type, key: key).status
  }

  private func makePolicy() throws {
    let document = """
      {"policy_id":"logins","name":"Logins","rules":[{"field":"type","operator":"eq","value":"login"}],
      "message_template":"m","summary_template":"s","providers":[],"max_alerts_per_hour":0}
      """
    try #require(service.call("POST", "/policies", body: document).status == 201)
  }

  private func withoutDatabase(_ body: () throws -> Void) throws {
    let name = try service.database.texts("SELECT current_database()::text")[0]
    try TestDatabase.interrupt(name, while: body)
  }

  private func kept() throws -> [SpooledBody] {
    let spool = try #require(try Spool(spool))
    return try spool.sealed(sealingMore: true).flatMap { name in
      let reader = try spool.open(name)
      var bodies: [SpooledBody] = []
      while let (entry, _) = try reader.next() {
        guard case .body(let body) = entry else { throw SystemFailure("read the spool: \(entry)", 0) }
        bodies.append(body)
      }
      return bodies
    }
  }

  @Test("Events with a key that the worker has checked are kept as they came, and their sender is told under which id")
  func remembered() throws {
    #expect(try status(#"{"type":"logout"}"#) == 200)
    let lines = "{\"type\":\"login\"}\n{broken\n\n{\"type\":\"é\"}\n"
    try withoutDatabase {
      let answer = try send(#"{"type": "login"}"#)
      #expect(answer.status == 202, "\(answer.text)")
      #expect(try answer["success"] == true)
      #expect(try answer["spooled"] == true)
      #expect(try answer["spool_id"]?.string?.hasPrefix("spool-") == true)
      let batch = try send(lines, type: "application/x-ndjson")
      #expect(batch.status == 202, "\(batch.text)")
      #expect(try batch["received"] == 3)
      #expect(try batch["rejected_total"] == 1)
    }
    let kept = try kept()
    #expect(kept.map { String(decoding: $0.bytes, as: UTF8.self) } == [#"{"type": "login"}"#, lines])
    #expect(kept.map(\.isLines) == [false, true])
    #expect(kept.map(\.events) == [1, 2])
    #expect(kept.map(\.tenant) == ["default", "default"])
    #expect(kept.map(\.sender) == Array(repeating: .key(digest: KeyDigest(of: "ingest").text), count: 2))
    #expect(try poll(within: 10) { try status(#"{"type":"logout"}"#) == 200 })
  }

  @Test("A key that nobody can vouch for is asked to come again, and one that may not send events is refused")
  func unknownKeys() throws {
    #expect(try status("{}", key: "viewer") == 403)
    try withoutDatabase {
      let answer = try send("{}")
      #expect(answer.status == 503)
      #expect(answer.headers["retry-after"] != nil)
      #expect(try status("{}", key: "viewer") == 403)
      let keyless = try service.call("POST", "/process-event", key: nil, body: "{}")
      #expect(keyless.status == 401)
    }
    #expect(try kept().isEmpty)
  }

  @Test("A key that was found to be revoked is no longer remembered")
  func revoked() throws {
    #expect(try status("{}") == 200)
    try service.database.run("UPDATE api_keys SET revoked_at = now() WHERE name = 'ingest'")
    #expect(try status("{}") == 401)
    try withoutDatabase {
      let status = try status("{}")
      #expect(status == 503)
    }
  }

  @Test("A key is bound to its networks and its end also while nobody can be asked")
  func terms() throws {
    let (bound, ended) = (KeyForm.make(), KeyForm.make())
    let store = service.database.store()
    try store.createKey(
      bound, tenant: "default", KeyDraft(name: "bound", role: .ingest, allowedCIDRs: ["10.0.0.0/8"]))
    try store.createKey(ended, tenant: "default", KeyDraft(name: "ended", role: .ingest))
    try service.database.run(
      "UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE name = 'ended'")
    func status(_ key: String, from address: String) throws -> Int {
      try service.call("POST", "/process-event", key: key, from: address, body: "{}").status
    }
    let before = try [
      status(bound, from: "10.0.0.1"), status(bound, from: "192.0.2.1"), status(ended, from: "10.0.0.1"),
    ]
    #expect(before == [200, 403, 401])
    try withoutDatabase {
      let away = try [
        status(bound, from: "10.0.0.1"), status(bound, from: "192.0.2.1"), status(ended, from: "10.0.0.1"),
      ]
      #expect(away == [202, 403, 401])
    }
  }

  @Test("The first key is known by its digest, even to a worker that has never reached the database")
  func firstKey() throws {
    service.settings["ALERTING_API_KEY_SHA256"] = KeyDigest(of: "the-first-key").text
    try withoutDatabase {
      let statuses = try ["the-first-key", "another-key"].map { try status("{}", key: $0) }
      #expect(statuses == [202, 503])
    }
    #expect(try kept().map(\.tenant) == ["default"])
  }

  @Test("What could never be processed is refused at once, as ever")
  func badInput() throws {
    #expect(try status("{}") == 200)
    try withoutDatabase {
      #expect(try status("{") == 400)
      #expect(try status("") == 400)
      #expect(try status("7") == 422)
      #expect(try status("{}", type: "text/plain") == 415)
      #expect(try status(#"{"a":"\#(String(repeating: "x", count: 1 << 20))"}"#) == 413)
      let elsewhere = try service.call("POST", "/process-event?tenant_id=other", key: "ingest", body: "{}")
      #expect(elsewhere.status == 403)
      let rejected = try send("[1, 2]")
      #expect(rejected.status == 200)
      #expect(try rejected["rejected_total"] == 2)
    }
    #expect(try kept().isEmpty)
  }

  @Test("Events are kept that a database takes no writes of, with the mark of the admission that was tried")
  func readOnly() throws {
    try makePolicy()
    let name = try service.database.texts("SELECT current_database()::text")[0]
    try service.database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let answer = try send(#"{"type":"login"}"#)
    #expect(answer.status == 202, "\(answer.text)")
    #expect(try status(#"{"type":"logout"}"#) == 200)
    try service.database.administer("ALTER DATABASE \(name) RESET default_transaction_read_only")
    let kept = try kept()
    #expect(kept.map { String(decoding: $0.bytes, as: UTF8.self) } == [#"{"type":"login"}"#])
    #expect(try AdmissionMark(#require(kept[0].attempt)).text == kept[0].attempt)
  }

  @Test("Of a large body, nothing is lost that was read before the database refused it, and no copy is left")
  func large() throws {
    try makePolicy()
    let name = try service.database.texts("SELECT current_database()::text")[0]
    let lines = String(repeating: "{\"type\":\"logout\"}\n", count: 100_000) + "{\"type\":\"login\"}\n"
    try service.database.administer("ALTER DATABASE \(name) SET default_transaction_read_only = on")
    let answer = try send(lines, type: "application/x-ndjson")
    #expect(answer.status == 202, "\(answer.text)")
    #expect(try answer["received"] == 100_001)
    try service.database.administer("ALTER DATABASE \(name) RESET default_transaction_read_only")
    #expect(try kept().map(\.bytes) == [Array(lines.utf8)])
    // What a worker has open, root alone may see.
    guard geteuid() == 0 else { return }
    let descriptors = try "/proc/\(service.worker("process-event").program.pid)/fd"
    let files = try FileManager.default.contentsOfDirectory(atPath: descriptors).map {
      try FileManager.default.destinationOfSymbolicLink(atPath: "\(descriptors)/\($0)")
    }
    #expect(files.contains { $0.hasPrefix(spool.path) } && !files.contains { $0.hasPrefix(spool.path + "/#") })
  }

  @Test("Without a disk that has room, senders are told that events cannot be kept")
  func fullDisk() throws {
    service.settings["ALERTING_API_KEY_SHA256"] = KeyDigest(of: "first").text
    service.settings["ALERTING_SPOOL_RESERVE"] = "1000000"
    try withoutDatabase {
      let answer = try send("{}", key: "first")
      #expect(answer.status == 507, "\(answer.text)")
      #expect(answer.headers["retry-after"] != nil)
    }
    #expect(try kept().isEmpty)
  }

  @Test("A record that can only be written in part leaves nothing behind")
  func partialWrite() throws {
    service.settings["ALERTING_API_KEY_SHA256"] = KeyDigest(of: "first").text
    try withoutDatabase {
      let large = #"{"a":"\#(String(repeating: "x", count: 300_000))"}"#
      let answer = try service.callCGI("POST", "/process-event", key: "first", body: large, fileSizeLimit: 100_000)
      #expect(answer.status == 507, "\(answer.text)")
      #expect(try status("{}", key: "first") == 202)
    }
    #expect(try kept().map(\.bytes) == [Array("{}".utf8)])
  }

  @Test("Where nothing can be kept, senders are asked to come again, and the log says why; all else is served")
  func noSpool() throws {
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path + "/none"
    #expect(try status("{}") == 200)
    try withoutDatabase {
      let status = try status("{}")
      #expect(status == 503)
    }
    #expect(try service.worker("process-event").program.standardError.contains("cannot make \(folder.path)/none/spool"))
  }
}
