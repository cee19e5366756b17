import Foundation
import Postgres
import TestSupport
import Testing

/// Events go on coming while the database fails in one way after the other: none that was taken is lost, none has its effects
/// twice, and people are told of each outage once, and of its end.
@Suite("Outages of the storage under load", .serialized)
struct OutageTests {
  /// A way for the storage to fail, and back.
  private struct Outage: Sendable {
    let name: String
    let begin: @Sendable (TestCluster) throws -> Void
    let end: @Sendable (TestCluster) throws -> Void
  }

  private static let outages: [Outage] = [
    Outage(name: "fast shutdown", begin: { $0.stop(by: SIGINT) }, end: { try $0.start() }),
    Outage(name: "immediate shutdown", begin: { $0.stop(by: SIGQUIT) }, end: { try $0.start() }),
    Outage(name: "SIGKILL", begin: { $0.stop(by: SIGKILL) }, end: { try startAfterKill($0) }),
    Outage(name: "SIGSTOP", begin: { try $0.begin(.freeze) }, end: { try $0.end(.freeze) }),
    Outage(name: "read-only", begin: { try $0.setReadOnly(true) }, end: { try $0.setReadOnly(false) }),
  ]

  private static let fullDisk = Outage(
    name: "disk full", begin: { try $0.fillDisk() },
    end: { cluster in
      cluster.clearDisk()
      // Without room for its log PostgreSQL ends, and nobody but its operator starts it again.
      if (try? Connection(url: cluster.url)) == nil { try startAfterKill(cluster) }
    })

  /// What a killed server left behind is in the way of the next until the last of its processes has gone.
  private static func startAfterKill(_ cluster: TestCluster) throws {
    for _ in 0..<50 {
      do {
        return try cluster.start()
      } catch is TestCluster.Failure {
        cluster.stop(by: SIGKILL)
        usleep(200_000)
      }
    }
    try cluster.start()
  }

  @Test("However the storage fails, each event that was taken is decided once, and one pair of messages tells of it")
  func everyOutage() async throws {
    // A disk of its own, which can be full, takes root.
    let hasDisk = getuid() == 0
    let watched = try await WatchedInstance(diskMegabytes: hasDisk ? 400 : nil)
    var table = [
      "| outage | taken | of them spooled | sent again | slowest answer | alert once | twice | alerts, recoveries |"
    ]
    table.append("|---|---:|---:|---:|---:|---:|---:|---|")
    for outage in Self.outages + (hasDisk ? [Self.fullDisk] : []) {
      let load = EventLoad(to: watched.instance, named: outage.name.filter { $0 != " " })
      try await Task.sleep(for: .milliseconds(500))
      try outage.begin(watched.cluster)
      try await watched.waitForAlert("\(outage.name) is told")
      try await Task.sleep(for: .milliseconds(500))
      try outage.end(watched.cluster)
      try await watched.waitForRecovery("the end of \(outage.name) is told")
      try await Task.sleep(for: .milliseconds(500))
      let tally = await load.stop()
      try await watched.waitForReplay()
      let once = try watched.raisedOnce(tally.taken)
      let twice = try watched.raisedTwice()
      let told = try watched.takeMessages()
      table.append(
        "| \(outage.name) | \(tally.taken.count) | \(tally.spooled) | \(tally.repeats) | "
          + "\(String(format: "%.2f", tally.slowest)) s | \(once) | \(twice) | \(told.alerts), \(told.recoveries) |")
      #expect(once == tally.taken.count, "\(outage.name)")
      #expect(twice == 0, "\(outage.name)")
      #expect(told.alerts == 1 && told.recoveries == 1, "\(outage.name): \(told)")
      #expect(tally.spooled > 0, "\(outage.name)")
      #expect(
        (1...tally.spooled + 6).contains(told.eventsAffected), "\(outage.name): \(told), \(tally.spooled) spooled")
    }
    print(table.joined(separator: "\n"))
    #expect(try await watched.instance.stop().status == 0)
  }

  @Test("Workers killed at random, nginx reloaded and the checker killed as it tells do not change that")
  func killing() async throws {
    let watched = try await WatchedInstance(diskMegabytes: nil)
    let load = EventLoad(to: watched.instance, named: "killing")
    let instance = watched.instance
    let kills = Task { try await Self.killAtRandom(instance) }
    try await Task.sleep(for: .seconds(1))
    watched.cluster.stop(by: SIGQUIT)
    try await watched.waitForAlert("the outage is told")
    for checker in try await watched.instance.processes(of: "check-storage") { kill(checker, SIGKILL) }
    try await Task.sleep(for: .seconds(2))
    try watched.cluster.start()
    try await watched.waitForRecovery("its end is told")
    for checker in try await watched.instance.processes(of: "check-storage") { kill(checker, SIGKILL) }
    try await Task.sleep(for: .seconds(2))
    kills.cancel()
    let killed = try await kills.value
    let tally = await load.stop()
    try await watched.waitForReplay()
    let told = try watched.takeMessages()
    #expect(killed > 5)
    #expect(try watched.raisedOnce(tally.taken) == tally.taken.count)
    #expect(try watched.raisedTwice() == 0)
    #expect(told.alerts == 1 && told.recoveries == 1, "\(told)")
    #expect(tally.spooled > 0)
    print("\(tally.taken.count) taken, \(tally.spooled) spooled, \(tally.repeats) sent again, \(killed) workers killed")
    #expect(try await watched.instance.stop().status == 0)
  }

  /// Kills workers and replays and reloads nginx until it is cancelled; how many processes it killed.
  private static func killAtRandom(_ instance: Instance) async throws -> Int {
    var killed = 0
    while !Task.isCancelled {
      for program in ["process-event", "process-event", "replay"] {
        guard let process = try await instance.processes(of: program).randomElement() else { continue }
        killed += kill(process, SIGKILL) == 0 ? 1 : 0
      }
      _ = try await instance.supervisorctl("signal", "HUP", "nginx")
      do { try await Task.sleep(for: .milliseconds(300)) } catch { return killed }
    }
    return killed
  }
}
