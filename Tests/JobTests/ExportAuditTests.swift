import Glibc
import Host
import JSON
import Postgres
import Store
import TestSupport
import Testing

@Suite("The job that exports the audit log") struct ExportAuditTests {
  private let log: ExportedLog

  init() throws { log = try ExportedLog() }

  @Test("Each entry of each tenant arrives, in order, as what it is", arguments: [true, false])
  func everything(isSecure: Bool) throws {
    let receiver = log.receiver
    try log.start(to: isSecure ? receiver.url : receiver.plainURL)
    try log.note("acme", "delete", "policy", "p-1")
    try log.note("other", "refuse", "call", "GET /x")
    let messages = try log.messages(3)
    let acme = messages.filter { $0.parameters["tenant"] == "acme" }
    #expect(acme.map { $0.parameters["seq"] } == ["1", "2"])
    let lines = try log.lines("acme")
    #expect(acme.map(\.text) == lines)
    #expect(acme.map { $0.header[3] } == ["create", "delete"])
    #expect(acme.map(\.priority) == [13 * 8 + 6, 13 * 8 + 5])
    #expect(messages.first { $0.parameters["tenant"] == "other" }?.priority == 13 * 8 + 4)
    #expect(messages.allSatisfy { $0.isSecure == isSecure && $0.element == "tocsin@32473" && $0.header[1] == "tocsin" })
    #expect(acme[1].parameters["kind"] == "policy" && acme[1].parameters["id"] == "p-1")
    #expect(try acme.map { $0.parameters["hash"] } == log.hashes("acme"))
    #expect(acme.map(\.time) == lines.compactMap { $0.firstMatch(of: #/"at":"([^"]+)"/#).map { String($0.1) } })
    #expect(try receiver.faults() == [])
    #expect(try receiver.connections() == 1)
  }

  @Test("A server that nobody vouches for gets nothing, and people are told", arguments: TestAuthority.Flaw.allCases)
  func distrust(flaw: TestAuthority.Flaw) throws {
    let receiver = try SyslogReceiver(flaw: flaw)
    let program = try log.start(to: receiver.url, trusting: receiver.authority)
    #expect(try poll(within: 60) { try log.warnings().contains { $0.contains("no secure connection") } })
    #expect(program.standardError.contains("the audit log is not exported"))
    #expect(try receiver.messages().isEmpty)
    #expect(try log.exported() == [])
  }

  @Test("An authority that did not vouch for the server is no reason to trust it")
  func otherAuthority() throws {
    try log.start(to: log.receiver.url, trusting: try TestAuthority())
    #expect(try poll(within: 60) { try log.warnings().contains { $0.contains("no secure connection") } })
    #expect(try log.receiver.messages().isEmpty)
  }

  @Test("A server that wants to know who is there is shown the certificate")
  func certificate() throws {
    let receiver = try SyslogReceiver(wantsCertificates: true)
    let authority = receiver.authority
    let files = try authority.clientFiles()
    let withoutOne = try log.start(to: receiver.url, trusting: authority)
    #expect(poll { withoutOne.standardError.contains("the audit log is not exported") })
    try withoutOne.terminate()
    #expect(withoutOne.ending() == .exit(0))
    #expect(try receiver.messages().isEmpty)
    try log.start(to: receiver.url, trusting: authority, Self.certificate(files))
    #expect(try poll { try receiver.messages().count == 1 })
    #expect(try receiver.messages().allSatisfy { $0.isSecure && $0.client == "Client of a test" })
  }

  @Test("Where looking for entries takes long, it is done the less often while there are none")
  func idleness() throws {
    try log.database.run(
      """
      INSERT INTO audit_exports (tenant_id, seq) SELECT tenant_id, seq FROM audit_chains;
      CREATE TABLE looks (at timestamptz NOT NULL);
      CREATE FUNCTION slow_look() RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER AS $$
      BEGIN
        INSERT INTO looks VALUES (clock_timestamp());
        PERFORM pg_sleep(0.1);
        RETURN true;
      END
      $$;
      ALTER POLICY every_tenant ON audit_chains USING (slow_look());
      """)
    try log.start(to: log.receiver.url)
    #expect(try poll { try log.database.texts("SELECT 'look' FROM looks").count >= 2 })
    let isLong =
      "SELECT (max(at) - min(at) >= interval '5 seconds')::text FROM (SELECT at FROM looks ORDER BY at LIMIT 2) AS look"
    #expect(try log.database.texts(isLong) == ["true"])
    try log.note("acme", "delete", "policy", "p-1")
    #expect(try log.messages(1).count == 1)
  }

  @Test("The password of a key is asked of nobody")
  func lockedKey() throws {
    let receiver = try SyslogReceiver(wantsCertificates: true)
    let files = try receiver.authority.clientFiles(lockedBy: "PLANTED")
    let program = try log.start(to: receiver.url, trusting: receiver.authority, Self.certificate(files))
    #expect(try poll { try log.warnings().contains { $0.contains(files.key) } })
    try program.terminate()
    #expect(program.ending() == .exit(0))
  }

  private static func certificate(_ files: (certificate: String, key: String)) -> [String: String] {
    ["ALERTING_AUDIT_SYSLOG_CERTIFICATE_FILE": files.certificate, "ALERTING_AUDIT_SYSLOG_KEY_FILE": files.key]
  }

  @Test("What was cut off with the connection, in the middle of a frame, is sent again, and nothing is lost")
  func cut() throws {
    let receiver = log.receiver
    try receiver.cut(afterBytes: 3000)
    for number in 2...20 { try log.note("acme", "create", "rule", "r-\(number)") }
    let program = try log.start(to: receiver.url)
    #expect(poll { program.standardError.contains("the audit log is not exported") })
    try receiver.cut(afterBytes: nil)
    let all = Set((1...20).map(String.init))
    #expect(try poll { try Set(receiver.messages().compactMap { $0.parameters["seq"] }) == all })
    #expect(try poll { try log.exported() == ["acme 20"] })
    #expect(try receiver.faults() == [])
    #expect(poll(within: 120) { program.standardError.contains("the audit log is exported again") })
    #expect(try poll { try log.warnings().isEmpty })
  }

  @Test("What was sent just before a connection ended is sent once more, for its receiver may not have read it")
  func overlap() throws {
    try log.start(to: log.receiver.url)
    // Seconds may pass here between the sending and the end, until what was sent is not of just before.
    #expect(try (2...4).contains(where: isSentAgain))
  }

  /// Adds the entry of a number, ends the connection over which it came, and tells whether it comes over another.
  private func isSentAgain(_ number: Int) throws -> Bool {
    try log.note("acme", "create", "rule", "r-\(number)")
    func connections() throws -> [Int] {
      try log.receiver.messages().filter { $0.parameters["seq"] == "\(number)" }.map(\.connection)
    }
    #expect(try poll { try !connections().isEmpty && log.exported() == ["acme \(number)"] })
    try log.receiver.endConnections()
    return try poll { try Set(connections()).count > 1 }
  }

  @Test("An entry full of line breaks, quotes, brackets and escapes is one message, and all of it arrives")
  func hostile() throws {
    let text = "\n1 <13>1 - - - - - - forged\r\n\"]\\ \u{1B}[2J \u{85}\u{2028}\u{9B}31m \\u0000 \t]"
    let connection = try log.database.connect()
    let append = "SELECT audit_append('acme', 'key', $1, $1, 'create', 'rule', $1, NULL, to_json($1))"
    try connection.run(Statement("note", append), .text(text))
    try log.note("acme", "create", "rule", #"\u0000"#, after: #"{"a":\#t"\u0000"}"#)
    try log.start(to: log.receiver.url)
    let messages = try log.messages(3)
    #expect(try log.receiver.faults() == [])
    #expect(messages.count == 3)
    let entry = try #require(try JSONValue(parsing: Array(messages[1].text.utf8)).object)
    #expect(entry["actor"] == .string(text) && entry["id"] == .string(text) && entry["after"] == .string(text))
    let shown = String(String.UnicodeScalarView(text.unicodeScalars.map { Self.isControl($0) ? "\u{FFFD}" : $0 }))
    #expect(messages[1].parameters["id"] == shown)
    #expect(messages.allSatisfy { !$0.text.unicodeScalars.contains(where: Self.isControl) })
    #expect(messages[2].text.contains(#""after":{"a": "\u0000"}"#))
  }

  private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
    [.control, .lineSeparator, .paragraphSeparator].contains(scalar.properties.generalCategory)
  }

  @Test(
    "An entry that is too long is cut, and says so, and has its number and hash",
    arguments: ["x", "\u{1}", "\"", "ü", "😀"])
  func long(character: String) throws {
    let text = String(repeating: character, count: 300_000)
    let connection = try log.database.connect()
    let append = Statement(
      "note", "SELECT audit_append('acme', 'key', $1, 'a', 'update', 'rule', left($1, 255), to_json($1), to_json($1))")
    try connection.run(append, .text(text))
    try log.start(to: log.receiver.url)
    let message = try log.messages(2)[1]
    #expect(message.size <= 8000)
    #expect(message.parameters["cut"] == "true")
    #expect(try message.parameters["hash"] == log.hashes("acme")[1])
    let entry = try #require(try JSONValue(parsing: Array(message.text.utf8)).object)
    #expect(entry["seq"] == 2 && entry["tenant_id"] == "acme" && entry["kind"] == "rule")
    for name in ["before", "after", "actor"] { #expect(entry[name]?.string?.hasSuffix("…") == true) }
  }

  @Test("Several at once send everything once, and one that is killed is replaced")
  func several() throws {
    let programs = try (0..<3).map { _ in try log.start(to: log.receiver.url) }
    for number in 2...150 { try log.note("acme", "create", "rule", "r-\(number)") }
    #expect(try poll { try log.exported() == ["acme 150"] })
    #expect(try log.messages(150).map { $0.parameters["seq"] } == (1...150).map { "\($0)" })
    #expect(try log.receiver.connections() == 1)
    for program in programs.dropLast() { program.signal(SIGKILL) }
    for program in programs.dropLast() { _ = program.ending() }
    try log.database.run("UPDATE job_leases SET leased_until = now()")
    try log.note("acme", "create", "rule", "last")
    #expect(try poll { try log.messages(151).last?.parameters["id"] == "last" })
    #expect(try log.receiver.messages().count == 151)
  }

  @Test("One that is asked to end leaves its place to another at once")
  func handover() throws {
    let first = try log.start(to: log.receiver.url)
    _ = try log.messages(1)
    try first.terminate()
    #expect(first.ending() == .exit(0))
    #expect(try log.database.texts("SELECT holder FROM job_leases") == [])
    try log.start(to: log.receiver.url)
    try log.note("acme", "create", "rule", "r")
    #expect(try log.messages(2).map { $0.parameters["seq"] } == ["1", "2"])
  }

  @Test("A database that goes away is waited for")
  func outage() throws {
    let program = try log.start(to: log.receiver.url)
    _ = try log.messages(1)
    let name = try #require(try log.database.texts("SELECT current_database()").first)
    try TestDatabase.interrupt(name) {
      #expect(poll { program.standardError.contains("the export of the audit log waits") })
    }
    try log.note("acme", "create", "rule", "r")
    #expect(try log.messages(2).last?.parameters["id"] == "r")
  }

  @Test("Without a destination nothing is done, and nobody misses the job")
  func noDestination() throws {
    try log.database.store().noteRun(of: "export-audit", on: Machine.name)
    let program = try log.start(to: nil, ["ALERTING_EXPORT_AUDIT_SECONDS": "1"])
    #expect(program.ending() == .exit(0))
    #expect(program.standardError == "")
    #expect(try log.database.store().latestRuns().allSatisfy { $0.job != "export-audit" })
  }

  @Test("With a destination it is seen to run, and is missed when it does not")
  func runs() throws {
    try log.start(to: log.receiver.url)
    #expect(try poll { try log.database.store().latestRuns().contains { $0.job == "export-audit" } })
  }

  @Test(
    "Settings that say nothing sensible are told in a sentence, and nothing begins",
    arguments: [
      ("ALERTING_AUDIT_SYSLOG_URL", "siem.example.com:6514"), ("ALERTING_AUDIT_SYSLOG_ENTERPRISE", "none"),
      ("ALERTING_AUDIT_SYSLOG_ENTERPRISE", "0"), ("ALERTING_AUDIT_SYSLOG_KEY_FILE", ""),
      ("ALERTING_AUDIT_SYSLOG_CERTIFICATE_FILE", ""),
      ("ALERTING_EXPORT_AUDIT_SECONDS", "soon"), ("ALERTING_DATABASE_URL", ""),
    ])
  func invalidSettings(name: String, value: String) throws {
    let files = Self.certificate(("client.pem", "client.key"))
    let program = try log.start(to: log.receiver.url, files.merging([name: value]) { $1 })
    #expect(program.ending() == .exit(1))
    #expect(program.standardError.contains(name))
  }

  @Test("A certificate that nobody would ask for is told in a sentence")
  func certificateOverTCP() throws {
    let program = try log.start(to: log.receiver.plainURL, Self.certificate(("client.pem", "client.key")))
    #expect(program.ending() == .exit(1))
    #expect(program.standardError.contains("ALERTING_AUDIT_SYSLOG_CERTIFICATE_FILE"))
  }
}

/// An audit log in a database of its own, a syslog server, and the programs that export the one to the other.
private final class ExportedLog {
  let database: TestDatabase
  let receiver: SyslogReceiver
  private var programs: [Program] = []

  /// With one entry: the key of the tenant `acme`.
  init() throws {
    database = try TestDatabase()
    receiver = try SyslogReceiver()
    try database.store().createKey(KeyForm.make(), tenant: "acme", KeyDraft(name: "test", role: .admin))
  }

  /// Starts a program that runs until it is asked to end.
  @discardableResult
  func start(
    to url: String?, trusting authority: TestAuthority? = nil, _ settings: [String: String] = [:]
  ) throws -> Program {
    var environment = ["ALERTING_DATABASE_URL": database.url, "ALERTING_EXPORT_AUDIT_SECONDS": "0"]
    environment["ALERTING_AUDIT_SYSLOG_URL"] = url
    environment["ALERTING_AUDIT_SYSLOG_CA_FILE"] = (authority ?? receiver.authority).certificateFile
    let program = try Program("export-audit", environment: environment.merging(settings) { $1 })
    programs.append(program)
    return program
  }

  /// Adds an entry.
  func note(_ tenant: String, _ action: String, _ kind: String, _ id: String, after: String = "{}") throws {
    let note = Statement("note", "SELECT audit_append($1, 'key', 'k', '192.0.2.1', $2, $3, $4, NULL, $5)")
    try database.connect().run(note, .text(tenant), .text(action), .text(kind), .text(id), .json(Array(after.utf8)))
  }

  /// What has arrived, when there are so many messages, or a minute later.
  func messages(_ count: Int) throws -> [SyslogReceiver.Message] {
    try poll { try receiver.messages().count >= count }
    let messages = try receiver.messages()
    try #require(messages.count >= count)
    return messages
  }

  /// The entries of a tenant as they are listed.
  func lines(_ tenant: String) throws -> [String] {
    try database.store().auditEntries(tenant: tenant, after: 0).map { String(decoding: $0.line, as: UTF8.self) }
  }

  /// Their hashes.
  func hashes(_ tenant: String) throws -> [String] {
    try database.store().auditEntries(tenant: tenant, after: 0).map(\.hash)
  }

  /// How far the log of each tenant has been exported.
  func exported() throws -> [String] {
    try database.texts("SELECT tenant_id || ' ' || seq FROM audit_exports ORDER BY tenant_id")
  }

  /// What the job has to say to people.
  func warnings() throws -> [String] {
    try database.store().jobRuns().filter { $0.job == "export-audit" }.flatMap(\.warnings)
  }
}
