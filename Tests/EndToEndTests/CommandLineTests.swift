import Foundation
import TestSupport
import Testing

@Suite("The command line")
struct CommandLineTests {
  @Test("Events are sent from a file and from standard input")
  func send() async throws {
    let instance = try await Instance.shared
    let file = FileManager.default.temporaryDirectory.appending(path: "tocsin-events-\(UUID().uuidString)")
    try Data(#"{"event_type": "login"}"#.utf8).write(to: file)
    let one = try await instance.send(file: file.path, key: instance.key)
    #expect(one.status == 0)
    #expect(one.output.contains(#""success":true"#))
    let many = try await instance.send(file: "-", key: instance.key, input: "{\"a\": 1}\n{\"a\": 2}\n")
    #expect(many.status == 0)
    #expect(many.output.contains(#""received":2"#))
    try FileManager.default.removeItem(at: file)
  }

  @Test("What cannot be sent is an error in one sentence that does not quote the key")
  func sendInVain() async throws {
    let instance = try await Instance.shared
    let wrongKey = try await instance.send(file: "-", key: "wrong-key", input: "{}")
    #expect(wrongKey.status == 1)
    #expect(wrongKey.errors.contains("401") && !wrongKey.errors.contains("wrong-key"))
    let notJSON = try await instance.send(file: "-", key: instance.key, input: "login")
    #expect(notJSON.status == 1)
    #expect(notJSON.errors.contains("400"))
    let noKey = try await instance.send(file: "-", key: "", input: "{}")
    #expect(noKey.status == 1)
    #expect(noKey.errors.contains("ALERTING_API_KEY"))
    let noFile = try await instance.send(file: "/nothing/here", key: instance.key)
    #expect(noFile.status == 1)
    #expect(noFile.errors.contains("/nothing/here"))
    let nobody = try await instance.tocsin(
      "send", "-", "--url", "http://127.0.0.1:1", settings: ["ALERTING_API_KEY": "k"])
    #expect(nobody.status == 1)
    #expect(nobody.errors.contains("http://127.0.0.1:1 did not answer"))
  }

  @Test("Master keys are made, rotated and taken out, and none that is needed")
  func masterKeys() async throws {
    let database = try TestDatabase()
    let folder = try TemporaryFolder()
    let file = folder.path + "/master.key"
    try database.run(
      """
      INSERT INTO tenants (tenant_id) VALUES ('acme');
      INSERT INTO alert_providers (tenant_id, provider_id, name, provider_type, enabled, config, created_by)
      VALUES ('acme', 'pager', 'pager', 'pagerduty', true, '{"api_key": "0123456789abcdef0123456789abcdef"}', 'test')
      """)
    func rotate(_ options: String...) async throws -> Command {
      try await Command.run(
        Program.directory + "tocsin", ["keys", "rotate-master"] + options,
        settings: ["ALERTING_DATABASE_URL": database.url, "ALERTING_MASTER_KEY_FILE": file])
    }
    func config() throws -> String { try database.texts("SELECT config::text FROM alert_providers")[0] }
    #expect(try await rotate("--forget").errors.contains(file))
    let first = try await rotate()
    #expect(first.output.contains("providers sealed with it anew: 1"), "\(first.errors)")
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int == 0o600)
    let sealed = try config()
    #expect(!sealed.contains("0123456789abcdef"))
    #expect(try await rotate().output.contains("providers sealed with it anew: 1"))
    let anew = try config()
    #expect(anew != sealed)
    try database.run("UPDATE alert_providers SET config = '\(sealed)'")
    let refused = try await rotate("--forget")
    #expect(refused.status == 1 && refused.errors.contains("still sealed"), "\(refused.errors)")
    try database.run("UPDATE alert_providers SET config = '\(anew)'")
    #expect(try await rotate("--forget").output.contains("taken out of the file: 1"))
    let keys = try String(contentsOfFile: file, encoding: .utf8)
    #expect(keys.split(separator: "\n").count == 1)
  }

  @Test("A key is made once, kept as it is when it is given again, and never comes back once revoked")
  func keys() async throws {
    let instance = try await Instance.shared
    let tenant = ["--tenant", "keys-of-its-own", "--name", "chosen"]
    func create(_ role: String, input: String) async throws -> Command {
      try await instance.tocsin(["keys", "create", "--role", role, "--key-from-input"] + tenant, input: input)
    }
    for _ in 1...2 { #expect(try await create("viewer", input: "a-chosen-key\n").output == "a-chosen-key\n") }
    #expect(try await create("admin", input: "a-chosen-key").status == 1)
    #expect(try await create("viewer", input: "with a blank").status == 1)
    #expect(try await create("boss", input: "another-key").status != 0)

    let list = try await instance.tocsin("keys", "list", "--tenant", "keys-of-its-own").output
    #expect(!list.contains("a-chosen-key"))
    let ids = list.matches(of: #/key-[0-9a-f-]+/#).map { String($0.output) }
    try #require(ids.count == 1)
    #expect(try await instance.tocsin("keys", "revoke", "--tenant", "somebody-else", ids[0]).status == 1)
    #expect(try await instance.tocsin("keys", "revoke", "--tenant", "keys-of-its-own", ids[0]).status == 0)
    let revived = try await create("viewer", input: "a-chosen-key")
    #expect(revived.status == 1)
    #expect(revived.errors.contains("revoked"))
  }

  @Test("A key with an end and networks is rotated on the host, and the old one goes on for the overlap")
  func rotation() async throws {
    let instance = try await Instance.shared
    let tenant = ["--tenant", "rotating"]
    let make = ["keys", "create", "--role", "viewer", "--name", "gateway"] + tenant
    let terms = ["--expires-at", "2999-01-01T00:00:00Z", "--allow", "10.0.0.0/8", "--allow", "::1"]
    #expect(try await instance.tocsin(make + terms).status == 0)
    for wrong in [["--expires-at", "soon"], ["--allow", "10.0.0.0/33"], ["--expires-at", "2001-01-01T00:00:00Z"]] {
      #expect(try await instance.tocsin(make + wrong).status != 0)
    }
    let list = try await instance.tocsin(["keys", "list"] + tenant).output
    #expect(list.contains("10.0.0.0/8,::1") && list.contains("2999-01-01T00:00:00.000000Z"))
    let id = try #require(list.firstMatch(of: #/key-[0-9a-f-]+/#).map { String($0.output) })
    let rotated = try await instance.tocsin(["keys", "rotate", "--overlap", "0", id] + tenant)
    #expect(rotated.output.wholeMatch(of: #/tocsin_[0-9a-f]{72}\n/#) != nil)
    let again = try await instance.tocsin(["keys", "rotate", id] + tenant)
    #expect(again.status == 1)
    #expect(again.errors.contains("replaced by key-"))
    let after = try await instance.tocsin(["keys", "list"] + tenant).output.split(separator: "\n").dropFirst()
    #expect(after.map { $0.contains(" expired ") } == [true, false])
  }

  @Test("The status tells of every tenant, and migrating again changes nothing")
  func status() async throws {
    let instance = try await Instance.shared
    let status = try await instance.tocsin("status")
    #expect(status.status == 0)
    #expect(status.output.contains("has every migration"))
    #expect(status.output.contains(#/\ndefault +\d+ +\d+/#))
    // Each job says at its start that it runs; nobody waits for that when an instance starts.
    try await wait(for: "runs of both jobs") {
      let output = try await instance.tocsin("status").output
      return ["check-storage", "deliver"].allSatisfy { job in
        output.split(separator: "\n").contains { $0.hasPrefix(job) && !$0.contains("has not run") }
      }
    }
    #expect(try await instance.tocsin("migrate").output == "the database is up to date\n")
  }

  @Test("Outside a checkout nobody looks for a checkout's migrations")
  func installed() async throws {
    let status = try await Command.run("env", ["--chdir=/", Program.directory + "tocsin", "status"])
    #expect(status.status == 1)
    #expect(!status.errors.contains("deploy/migrations"))
  }

  @Test("Each storage hook is told a marked event, and what it answers is shown")
  func hooks() async throws {
    let receiver = try HTTPReceiver()
    try receiver.answer("/slack", with: .init(200, body: Array("ok".utf8)))
    try receiver.answer("/refuse", with: .init(404, body: Array("no such hook".utf8)))
    let url = receiver.plainURL
    let hooks = """
      {"name": "ops", "kind": "webhook", "url": "\(url)/hook"}, {"name": "channel", "kind": "slack", "webhook_url":
      "\(url)/slack"}, {"name": "siren", "kind": "command", "command": ["/usr/bin/wc", "-l"]}
      """
    let file = FileManager.default.temporaryDirectory.appending(path: "tocsin-hooks-\(UUID().uuidString)")
    func test(_ hooks: String) async throws -> Command {
      try Data(#"{"hooks": [\#(hooks)]}"#.utf8).write(to: file)
      return try await Command.run(Program.directory + "tocsin", ["hooks", "test", "--config", file.path])
    }
    let taken = try await test(hooks)
    #expect(taken.status == 0)
    let rows = taken.output.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
    #expect(rows.map { $0.prefix(2) } == [["HOOK", "TAKEN"], ["ops", "yes"], ["channel", "yes"], ["siren", "yes"]])
    #expect(rows.last?.last == "1")
    let request = try #require(try receiver.requests(to: "/hook").first)
    #expect(String(decoding: request.body, as: UTF8.self).contains(#""last_error":"TEST: "#))

    let refused = try await test(hooks + #", {"name": "gone", "kind": "webhook", "url": "\#(url)/refuse"}"#)
    #expect(refused.status == 1)
    #expect(refused.output.contains(#/\ngone +no +\d+ ms +answered 404: no such hook\n/#))
    let wrong = try await test(#"{"name": "x", "kind": "webhook"}"#)
    #expect(wrong.status == 1)
    #expect(wrong.errors.contains("/hooks/0/url is required"))
    try FileManager.default.removeItem(at: file)
  }

  @Test("Without a database there is a sentence and no password in it")
  func unreachableDatabase() async throws {
    let instance = try await Instance.shared
    for arguments in [["migrate"], ["status"], ["keys", "list"]] {
      let url = ["ALERTING_DATABASE_URL": "postgresql://somebody:secret@127.0.0.1:1/tocsin"]
      let run = try await instance.tocsin(arguments, settings: url)
      #expect(run.status == 1)
      #expect(run.errors.contains("the database is unreachable") && !run.errors.contains("secret"))
    }
    let unset = try await instance.tocsin("status", settings: ["ALERTING_DATABASE_URL": ""])
    #expect(unset.status == 1)
    #expect(unset.errors.contains("ALERTING_DATABASE_URL is not set"))
  }
}

extension Instance {
  fileprivate func send(file: String, key: String, input: String = "") async throws -> Command {
    try await tocsin(
      ["send", file, "--url", "http://127.0.0.1:\(port)"], settings: ["ALERTING_API_KEY": key], input: input)
  }
}
