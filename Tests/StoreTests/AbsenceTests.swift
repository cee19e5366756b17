import Glibc
import Host
import Postgres
import TestSupport
import Testing

@testable import Store

@Suite("A store whose database is away")
struct AbsenceTests {
  @Test("Calls look for it for a moment every so often, and one after a quiet time waits for it as the first one did")
  func patience() {
    var absence = Absence(reason: "a", at: 100)
    #expect(absence.patience(at: 100, full: 1.5) == nil)
    #expect(absence.patience(at: 100.2, full: 1.5) == nil)
    #expect(absence.patience(at: 100.25, full: 1.5) == Absence.secondsOfGlance)
    absence.extend(reason: nil, at: 100.26)
    #expect(absence.reason == "a")
    #expect(absence.patience(at: 100.5, full: 1.5) == nil)
    #expect(absence.patience(at: 104, full: 1.5) == Absence.secondsOfGlance)
    #expect(absence.patience(at: 105.5, full: 1.5) == 1.5)
    absence.extend(reason: "b", at: 107)
    #expect(absence.reason == "b")
    #expect(absence.patience(at: 107.1, full: 1.5) == nil)
  }

  /// What a call fails with, and after how many seconds.
  private func fail(_ store: Store) -> (reason: String, seconds: Double) {
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) { try store.latestRuns() }
    return ("\(error.map(String.init(describing:)) ?? "")", Clock.monotonic - start)
  }

  @Test(
    "The first call waits for a bounded time, the others cost next to nothing, and it is found when it is back",
    arguments: TestCluster.Trouble.allCases)
  func away(trouble: TestCluster.Trouble) throws {
    let cluster = try TestCluster()
    let store = Store(url: cluster.url)
    _ = try store.latestRuns()
    try cluster.begin(trouble)
    #expect(fail(store).seconds < 5)
    let seconds = (0..<2000).map { _ in fail(store).seconds }.sorted()
    #expect(seconds[1000] < 0.005)
    #expect(fail(store).reason.count > "the database is unreachable: ".count)
    try cluster.end(trouble)
    let back = Clock.monotonic
    #expect(poll(within: 10) { (try? store.latestRuns()) != nil })
    #expect(Clock.monotonic - back < 5)
  }

  @Test("A server that was started anew between two calls is no absence, for what reads")
  func restart() throws {
    let cluster = try TestCluster()
    let store = Store(url: cluster.url)
    #expect(try store.authenticate(KeyDigest(of: "none"), from: nil) == .unknown)
    for signal in [SIGINT, SIGQUIT, SIGKILL] {
      cluster.stop(by: signal)
      try cluster.start()
      #expect(try store.authenticate(KeyDigest(of: "none"), from: nil) == .unknown)
    }
  }

  @Test("A store of its own waits as long as it is told, and says why it waited in vain")
  func patientStore() throws {
    let cluster = try TestCluster()
    var timeouts = Timeouts()
    timeouts.connect = 3
    let store = Store(url: cluster.url, timeouts: timeouts)
    try cluster.begin(.freeze)
    defer { #expect(throws: Never.self) { try cluster.end(.freeze) } }
    let failure = fail(store)
    #expect(failure.reason == "the database is unreachable: no answer from the server")
    #expect((3..<8).contains(failure.seconds))
  }
}
