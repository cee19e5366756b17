import Foundation
import Testing

/// On an instance of their own: these stop what others would be using.
@Suite("Whatever dies comes back", .serialized)
struct SupervisionTests {
  @Test("Workers, nginx, PostgreSQL and the job come back, and no request is lost when a worker is asked to end")
  func supervision() async throws {
    let instance = try await Instance()
    try await killedWorkerComesBack(instance)
    try await terminatedWorkersLoseNothing(instance)
    try await largeAccessLogIsPutAside(instance)
    try await killedServersComeBack(instance)
    try await poolThatIsAwayIsRetryable(instance)
    try await killedSupervisorLeavesNothing(instance)
  }

  private func killedWorkerComesBack(_ instance: Instance) async throws {
    let before = try await instance.processes(of: "health")
    #expect(before.count == 2)
    kill(before[0], SIGKILL)
    try await wait(for: "another worker") {
      let now = try await instance.processes(of: "health")
      return now.count == 2 && !now.contains(before[0]) && now.contains(before[1])
    }
    #expect(try await instance.send("/health").status == 200)
  }

  private func terminatedWorkersLoseNothing(_ instance: Instance) async throws {
    let load = Task { try await statuses(of: "/health", on: instance, for: .seconds(5)) }
    for _ in 0..<3 {
      try await Task.sleep(for: .milliseconds(300))
      let ended = try #require(try await instance.processes(of: "health").first)
      kill(ended, SIGTERM)
      try await wait(for: "a worker in place of the one that ended") {
        let now = try await instance.processes(of: "health")
        return now.count == 2 && !now.contains(ended)
      }
    }
    let answered = try await load.value
    #expect(answered.count > 20)
    #expect(answered.filter { $0 != 200 } == [])
  }

  /// What eight clients at once get for a time. They have a key, for nginx counts those that have none. They end by the clock:
  /// cancelling a request of URLSession can lock it up.
  private func statuses(of path: String, on instance: Instance, for time: Duration) async throws -> [Int] {
    let end = ContinuousClock.now + time
    return try await withThrowingTaskGroup(of: [Int].self) { group in
      for _ in 0..<8 {
        group.addTask {
          var statuses: [Int] = []
          while ContinuousClock.now < end { statuses.append(try await instance.send(path, key: instance.key).status) }
          return statuses
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func killedServersComeBack(_ instance: Instance) async throws {
    for name in ["nginx", "postgres", "deliver:deliver-0"] {
      let text = try await instance.supervisorctl("pid", name).output
      let pid = try #require(Int32(text.trimmingCharacters(in: .newlines)))
      kill(pid, SIGKILL)
      try await wait(for: "\(name) again") {
        let now = try await instance.supervisorctl("pid", name).output.trimmingCharacters(in: .newlines)
        return Int32(now) ?? 0 > 0 && now != "\(pid)"
      }
    }
    try await wait(for: "the service again") {
      do { return try await instance.send("/health").status == 200 } catch is URLError { return false }
    }
  }

  private func largeAccessLogIsPutAside(_ instance: Instance) async throws {
    let log = instance.state + "/nginx/access.log"
    let file = try #require(FileHandle(forWritingAtPath: log))
    try file.truncate(atOffset: 200_000_000)
    try await wait(for: "a new access log") {
      FileManager.default.fileExists(atPath: log + ".1") && FileManager.default.fileExists(atPath: log)
    }
    #expect(try await instance.send("/health").status == 200)
    try await wait(for: "an entry in it") { try String(contentsOfFile: log, encoding: .utf8).contains("/health") }
  }

  private func poolThatIsAwayIsRetryable(_ instance: Instance) async throws {
    #expect(try await instance.supervisorctl("stop", "policies:*").status == 0)
    let answer = try await instance.send("/api/v1/alerts/policies")
    #expect(answer.status == 503)
    #expect(answer.header("Retry-After") == "2")
    #expect(answer.header("Content-Type") == "application/problem+json")
    #expect(try await instance.send("/health").status == 200)
  }

  private func killedSupervisorLeavesNothing(_ instance: Instance) async throws {
    let session = try String(contentsOfFile: instance.state + "/run/session", encoding: .utf8)
    let supervisor = try #require(Int32(session.trimmingCharacters(in: .newlines)))
    kill(supervisor, SIGKILL)
    #expect(try await Command.run("pgrep", ["-s", "\(supervisor)"]).output != "")
    #expect(try await instance.stop().status == 0)
    // What has ended is listed until process 1 takes note of it.
    try await wait(for: "an empty session") { try await Command.run("pgrep", ["-s", "\(supervisor)"]).output == "" }
  }
}
