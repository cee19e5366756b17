import Foundation
import TestSupport
import Testing

@Suite("The audit log on the command line")
struct AuditCommandTests {
  private func makeKeys(_ count: Int, tenant: String) async throws -> Instance {
    let instance = try await Instance.shared
    for _ in 0..<count { _ = try await instance.makeKey(tenant: tenant) }
    return instance
  }

  @Test("What is done on the command line is told of the user who did it, and any tool can check the hashes")
  func list() async throws {
    let instance = try await makeKeys(2, tenant: "audited")
    let lines = try await instance.tocsin("audit", "list", "--tenant", "audited").output.split(separator: "\n")
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { $0.contains(#""actor_type":"command","actor":""#) })
    #expect(lines.allSatisfy { !$0.contains("tocsin_") })
    let check = """
      while IFS= read -r line; do
        printf '%s}' "${line%,\\"hash\\":*}" | sha256sum | grep -q "${line: -66:64}" || exit 1
      done
      """
    let input = lines.joined(separator: "\n") + "\n"
    #expect(try await Command.run("bash", ["-c", check], input: input).status == 0)
    #expect(try await Command.run("bash", ["-c", check], input: input.replacing("admin", with: "ingest")).status == 1)
    #expect(
      try await instance.tocsin("audit", "list", "--tenant", "audited", "--after", "1").output.split(separator: "\n")
        == lines.suffix(1))
  }

  @Test("A chain is verified by the head of an earlier run, and one that is broken fails")
  func verify() async throws {
    let instance = try await makeKeys(3, tenant: "verified")
    func verify(_ options: String...) async throws -> Command {
      try await instance.tocsin(["audit", "verify", "--tenant", "verified"] + options)
    }
    let sound = try await verify()
    #expect(sound.status == 0)
    let head = try #require(sound.output.firstMatch(of: #/3:[0-9a-f]{64}/#)).output
    #expect(try await verify("--head", String(head)).status == 0)
    let lost = try await verify("--head", "5" + head.dropFirst())
    #expect(lost.status == 1)
    #expect(lost.output.contains("the log of verified: entries 4 to 5 are missing"))
    let other = try await verify("--head", "2" + head.dropFirst())
    #expect(other.status == 1)
    #expect(other.output.contains("entry 2 has another hash than the head that was given"))
    #expect(try await verify("--head", "3:abc").status == 64)
    #expect(try await instance.tocsin("audit", "verify", "--head", String(head)).errors.contains("--tenant"))
  }

  @Test("What is archived is in the file before it leaves the log, and is verified with it")
  func archive() async throws {
    let instance = try await makeKeys(3, tenant: "archived")
    let file = FileManager.default.temporaryDirectory.appending(path: "audit-\(UUID().uuidString).jsonl").path
    func archive(_ day: String) async throws -> Command {
      try await instance.tocsin("audit", "archive", "--before", day, "--to", file, "--tenant", "archived")
    }
    #expect(try await archive("2001-01-01").output.contains("nothing before"))
    #expect(!FileManager.default.fileExists(atPath: file))
    #expect(try await archive("tomorrow").status == 64)
    let log = try await instance.tocsin("audit", "list", "--tenant", "archived").output
    #expect(try await archive("2999-01-01").output.contains("archived 3 entries of archived"))
    #expect(try String(contentsOfFile: file, encoding: .utf8) == log)
    let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
    #expect(mode == 0o600)
    #expect(try await archive("2999-01-01").errors.contains("File exists"))

    func verify(_ options: String...) async throws -> Command {
      try await instance.tocsin(["audit", "verify", "--tenant", "archived"] + options)
    }
    let rest = try await instance.tocsin("audit", "list", "--tenant", "archived").output
    #expect(rest.contains(#""seq":4"#) && rest.contains(#""action":"archive""#))
    #expect(try await verify().status == 0)
    #expect(try await verify("--archive", file).status == 0)
    try Data(log.replacing("admin", with: "ingest").utf8).write(to: URL(filePath: file))
    let changed = try await verify("--archive", file)
    #expect(changed.status == 1)
    #expect(changed.output.contains("entry 2 was changed"))
    try FileManager.default.removeItem(atPath: file)
  }

  @Test("What a syslog server has yet to get stays in the log, unless it is told otherwise")
  func unsent() async throws {
    let database = try TestDatabase()
    let folder = try TemporaryFolder()
    try database.run(
      "SELECT audit_append('acme', 'key', 'k', NULL, 'create', 'rule', 'r', NULL, '{}') FROM generate_series(1, 3)")
    func archive(_ file: String, _ options: String...) async throws -> Command {
      try await Command.run(
        Program.directory + "tocsin",
        ["audit", "archive", "--before", "2999-01-01", "--to", "\(folder.path)/\(file)"] + options,
        settings: ["ALERTING_DATABASE_URL": database.url])
    }
    try database.run("INSERT INTO audit_exports (tenant_id, seq) VALUES ('acme', 2)")
    let refused = try await archive("one")
    #expect(refused.status == 1)
    #expect(refused.errors.contains("the syslog server has not got all of acme yet"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/one"))
    try database.run("UPDATE audit_exports SET seq = 3")
    #expect(try await archive("one").output.contains("archived 3 entries of acme"))
    #expect(try await archive("two").status == 1)
    #expect(try await archive("two", "--unsent").output.contains("archived 1 entries of acme"))
  }

  @Test("While much is archived nobody waits, and what a run that was killed has left the next one removes")
  func interruptedArchive() async throws {
    let database = try TestDatabase()
    let folder = try TemporaryFolder()
    let append = "SELECT audit_append('acme', 'key', 'k', NULL, 'create', 'rule', 'r', NULL, '{}')"
    try database.run("\(append) FROM generate_series(1, 3000)")
    func tocsin(_ words: String...) async throws -> Command {
      try await Command.run(
        Program.directory + "tocsin", ["audit"] + words, settings: ["ALERTING_DATABASE_URL": database.url])
    }
    func archival(_ file: String) -> [String] {
      ["audit", "archive", "--before", "2999-01-01", "--to", "\(folder.path)/\(file)"]
    }
    // Somebody has an entry in the middle of what is to be removed, so that the removal stops there.
    let keeper = try database.connect()
    try keeper.run(script: "BEGIN; SELECT FROM audit_log WHERE seq = 1500 FOR UPDATE")
    let archiving = try Program(
      "tocsin", arguments: archival("one"), environment: ["ALERTING_DATABASE_URL": database.url])
    #expect(try poll { try database.texts("SELECT min(seq)::text FROM audit_log") == ["1001"] })
    try database.run("SET lock_timeout = '250ms'; \(append)")
    #expect(try await tocsin("verify").status == 0)
    archiving.signal(SIGKILL)
    #expect(archiving.ending() == .signal(SIGKILL))
    try keeper.run(script: "ROLLBACK")
    let sound = try await tocsin("verify", "--archive", folder.path + "/one")
    #expect(sound.status == 0, "\(sound.output)")
    let rest = try await Command.run(
      Program.directory + "tocsin", archival("two"), settings: ["ALERTING_DATABASE_URL": database.url])
    #expect(rest.output.contains("entries of acme that an earlier run has archived"))
    #expect(rest.output.contains("archived 2 entries of acme"))
    #expect(try database.texts("SELECT count(*)::text FROM audit_log") == ["1"])
    let both = try await tocsin("verify", "--archive", folder.path + "/one", "--archive", folder.path + "/two")
    #expect(both.status == 0, "\(both.output)")
    #expect(both.output.contains(" 3003 "))
  }
}
