import Glibc
import Host
import JSON
import TestSupport
import Testing

/// Outages are made by closing the database to everybody: what PostgreSQL does is `StorageOutageTests`' matter.
@Suite("The job that checks the storage") struct CheckStorageTests {
  let database: TestDatabase
  let storage: CheckedStorage

  init() throws {
    database = try TestDatabase()
    // Nothing else runs here that could be missed.
    try database.run("UPDATE alert_job_runs SET ran_at = now() + interval '1 hour'")
    storage = try CheckedStorage(database.url)
  }

  /// Closes the database until the body has returned; what the body says.
  private func out(until holds: () throws -> Bool) throws -> Bool {
    var answer = false
    let name = try #require(database.url.firstMatch(of: #/tocsin_test_\w+/#)).output
    try TestDatabase.interrupt(String(name)) { answer = try holds() }
    return answer
  }

  private var hasProbed: Bool {
    get throws {
      try !database.texts("SELECT host FROM alert_job_runs WHERE job = 'check-storage' AND host <> ''").isEmpty
    }
  }

  @Test("Two outages inside the cool-down are two pairs")
  func twoOutages() throws {
    try storage.start()
    for expected in ["U", "URU"] {
      #expect(try out { try storage.wasTold(expected) })
      #expect(try storage.wasTold(expected + "R"))
    }
    #expect(Set(try storage.incidents().compactMap { $0["dedup_key"]?.string }).count == 2)
  }

  @Test("An outage that lasts is told again after the cool-down, and its end once")
  func cooldown() throws {
    try storage.configure(["cooldown_secs": 3])
    try storage.start()
    #expect(try out { try poll(within: 40) { try storage.told().values.allSatisfy { $0.count >= 3 } } })
    #expect(try poll(within: 20) { try storage.told().values.allSatisfy { $0.hasSuffix("R") } })
    for told in try storage.told().values { #expect(told.wholeMatch(of: #/U{3,}R/#) != nil, "\(told)") }
    let keys = try storage.incidents().compactMap { $0["dedup_key"]?.string }
    #expect(Set(keys).count == 1)
  }

  @Test("Killed after an alert was sent and before that was noted, it sends the same again: one pair by its id")
  func killedBetweenAlertAndState() throws {
    try storage.configure(hooks: [storage.hooks[0]])
    try storage.receiver.answer(
      "/hook", with: .init(200, afterSeconds: 30), .init(200), .init(200, afterSeconds: 30), .init(200))
    var checker = try storage.start()
    let wasKilled = try out {
      _ = try storage.receiver.waitForRequests(1, to: "/hook")
      checker.signal(SIGKILL)
      let ending = checker.ending()
      checker = try storage.start()
      return try storage.receiver.waitForRequests(2, to: "/hook").count == 2 && ending == .signal(SIGKILL)
    }
    #expect(wasKilled)
    _ = try storage.receiver.waitForRequests(3, to: "/hook")
    checker.signal(SIGKILL)
    #expect(checker.ending() == .signal(SIGKILL))
    try storage.start()
    let ids = try storage.receiver.waitForRequests(4, to: "/hook").compactMap { $0.headers["webhook-id"] }
    #expect(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2])
    #expect(try storage.told()["webhook"] == "UR")
    #expect(try poll(within: 20) { try storage.state.contains(#""untold":[]"#) })
  }

  @Test("Killed again and again at any moment, through outages and between them: one pair an outage by its id")
  func killedAtRandom() throws {
    try storage.configure(["threshold_secs": 1], hooks: [storage.hooks[0]])
    var checker = try storage.start()
    var expected = ""
    func killUntilTold(_ expected: String) throws -> Bool {
      for _ in 0..<12 {
        usleep(.random(in: 20_000...900_000))
        checker.signal(SIGKILL)
        _ = checker.ending()
        checker = try storage.start()
      }
      return try poll(within: 30) { try storage.told()["webhook"] == expected }
    }
    for _ in 0..<2 {
      expected += "U"
      #expect(try out { try killUntilTold(expected) })
      expected += "R"
      #expect(try killUntilTold(expected))
    }
    let ids = try storage.receiver.requests(to: "/hook").compactMap { $0.headers["webhook-id"] }
    print("killed 48 times | \(ids.count) requests with \(Set(ids).count) ids | told \(expected)")
    #expect(Set(ids).count == 4)
  }

  @Test("Of two on a host one probes, and the other takes over when that one is killed")
  func twoCheckers() throws {
    let first = try storage.start()
    #expect(try poll(within: 20) { try hasProbed })
    let second = try storage.start()
    #expect(poll(within: 20) { second.standardError.contains("this one waits for it to end") })
    #expect(try poll { try sessionsUnderWay() == 0 })
    let sessions = try sessionCount()
    usleep(5_000_000)
    // Five probes in five seconds by one checker, fewer where the machine is busy; two would make ten.
    #expect((2...8).contains(try sessionCount() - sessions))
    first.signal(SIGKILL)
    #expect(first.ending() == .signal(SIGKILL))
    #expect(try out { try storage.wasTold("U") })
    #expect(try storage.wasTold("UR"))
    #expect(second.ending(within: 0) == nil)
  }

  /// How many connections there have been to the database: counted when they end.
  private func sessionCount() throws -> Int { try number("SELECT sessions::text FROM pg_stat_database") }

  private func sessionsUnderWay() throws -> Int { try number("SELECT count(*)::text FROM pg_stat_activity") }

  private func number(_ query: String) throws -> Int {
    let name = try #require(database.url.firstMatch(of: #/tocsin_test_\w+/#)).output
    let server = try #require(Environment["TOCSIN_TEST_DATABASE_URL"])
    return try StorageRuns.texts(query + " WHERE datname = '\(name)'", at: server).compactMap { Int($0) }.first ?? 0
  }

  @Test("A hook that hangs or refuses holds neither the others nor the probes, and is told as soon as it can be")
  func badHooks() throws {
    try storage.configure(
      hooks: storage.hooks + [
        [
          "name": "hanging", "kind": "webhook", "url": .string(storage.receiver.plainURL + "/hang"), "timeout_secs": 60,
        ],
        ["name": "refusing", "kind": "webhook", "url": .string(storage.receiver.plainURL + "/refuse")],
        ["name": "failing", "kind": "command", "command": ["/bin/false"]],
      ])
    try storage.receiver.answer("/hang", with: .init(ending: .hang))
    try storage.receiver.answer("/refuse", with: .init(404), .init(500), .init(200))
    let checker = try storage.start()
    let wasTold = try out {
      try storage.wasTold("U") && storage.receiver.waitForRequests(3, to: "/refuse").count == 3
    }
    #expect(wasTold)
    #expect(try storage.wasTold("UR"))
    let refused = try storage.receiver.waitForRequests(4, to: "/refuse").compactMap { $0.headers["webhook-id"] }
    #expect(refused[0] == refused[2] && refused[3].hasSuffix("-recovery"))
    #expect(try storage.receiver.requests(to: "/hang").count == 1)
    #expect(checker.standardError.contains(#"a hook was not told hook="refusing""#))
    #expect(checker.standardError.contains("ended with status 1"))
  }

  @Test("What a receiver, a mail server or a command answers is one line of the log, whatever is in it")
  func forgedAnswers() throws {
    let evil = "\u{1B}[2Jx\n2026-05-07T10:00:00Z check-storage info: forged\u{9B}1m\u{202E}"
    try storage.configure(
      hooks: [
        ["name": "refusing", "kind": "webhook", "url": .string(storage.receiver.plainURL + "/refuse")],
        [
          "name": "failing", "kind": "command",
          "command": [
            "/bin/sh", "-c", #"printf '\033[2Jx\n2026-05-07T10:00:00Z check-storage info: forged\302\2331m'; exit 3"#,
          ],
        ],
      ])
    try storage.receiver.answer("/refuse", with: .init(400, body: Array(evil.utf8)))
    let checker = try storage.start()
    let wasTold = try out {
      poll(within: 30) {
        let log = checker.standardError
        return log.contains(#"hook="refusing""#) && log.contains(#"hook="failing""#)
      }
    }
    #expect(wasTold, "\(checker.standardError)")
    let log = checker.standardError
    #expect(log.contains(#"u{1b}[2Jx"#))
    #expect(!log.contains("\nx") && !log.contains("\n2026-05-07T10:00:00Z"))
    #expect(
      log.unicodeScalars.allSatisfy { $0 == "\n" || ![.control, .format].contains($0.properties.generalCategory) })
  }

  @Test("A state that cannot be read is set aside and told, and the storage is checked on")
  func corruptState() throws {
    try File.replace(storage.folder + "/check-storage.json", with: Array("{\"version\":1,".utf8))
    let checker = try storage.start()
    #expect(try poll(within: 20) { try hasProbed })
    #expect(checker.standardError.contains("the state cannot be read and is begun anew"))
    #expect(try File.names(in: storage.folder).contains { $0.hasPrefix("check-storage.json.corrupt-") })
    #expect(try out { try storage.wasTold("U") })
    #expect(try storage.wasTold("UR"))
  }

  @Test("It runs for its time, and asked to end it ends at once")
  func time() throws {
    let brief = try storage.start(["ALERTING_CHECK_STORAGE_SECONDS": "2"])
    #expect(brief.ending(within: 20) == .exit(0))
    #expect(try hasProbed)
    let long = try storage.start()
    try long.terminate()
    #expect(long.ending(within: 20) == .exit(0))
  }

  @Test(
    "Settings that say nothing sensible are told in a sentence, and nothing begins",
    arguments: [
      ("ALERTING_CHECK_STORAGE_SECONDS", "soon", "ALERTING_CHECK_STORAGE_SECONDS"),
      ("ALERTING_STATE_DIRECTORY", "/nowhere/at/all", "cannot open /nowhere/at/all/check-storage.lock"),
      ("ALERTING_STORAGE_CONFIG", "/nowhere/storage.json", "cannot open /nowhere/storage.json"),
    ])
  func invalidSettings(name: String, value: String, told: String) throws {
    let program = try storage.start([name: value])
    #expect(program.ending(within: 20) == .exit(1))
    #expect(program.standardError.contains(told))
  }

  @Test("No secret of a hook gets into the log or the state, and a file that others can read is told")
  func secrets() throws {
    try storage.configure(
      hooks: [
        [
          "name": "keyed", "kind": "webhook", "url": .string(storage.receiver.plainURL + "/keyed?token=t0psecret"),
          "headers": ["Authorization": "Bearer s3cret-token"],
        ]
      ])
    chmod(storage.folder + "/storage.json", 0o644)
    try storage.receiver.answer("/keyed?token=t0psecret", with: .init(400, body: Array("wrong: s3cret-token".utf8)))
    let checker = try storage.start()
    #expect(try out { poll(within: 20) { checker.standardError.contains("wrong: ********") } })
    #expect(!checker.standardError.contains("s3cret") && !checker.standardError.contains("t0psecret"))
    #expect(try !storage.state.contains("s3cret"))
    #expect(checker.standardError.contains("others can read a file with secrets"))
  }
}
