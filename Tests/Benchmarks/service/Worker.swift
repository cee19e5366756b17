import Foundation

/// What one worker needs: memory with 100 policies compiled, and the time from its start to its first answer.
enum Worker {
  /// Resident memory of the largest worker of the pool, in MB.
  static func resident(_ instance: Instance) throws -> Double {
    let pids = try run("pgrep", ["--full", "^\(program(instance))"]).split(separator: "\n")
    return try pids.map { try resident(String($0)) }.max() ?? 0
  }

  /// Milliseconds from the start of a worker to its first answer, median of 21.
  static func start(_ instance: Instance, key: String) throws -> Double {
    median(try (1...21).map { _ in try firstAnswer(instance, key: key) * 1000 })
  }

  /// Seconds that the program takes as a plain CGI process from its start to its end, connecting and compiling included.
  private static func firstAnswer(_ instance: Instance, key: String) throws -> Double {
    let start = ContinuousClock.now
    let answer = try run(program(instance), [], environment: environment(instance, key), input: Event.quiet)
    let duration = ContinuousClock.now - start
    guard answer.hasPrefix("Status: 200") else { throw CommandFailed(command: "process-event", output: answer) }
    return Double(duration.components.attoseconds) / 1e18 + Double(duration.components.seconds)
  }

  private static func program(_ instance: Instance) -> String { "\(instance.state.path)/programs/routes/process-event" }

  private static func environment(_ instance: Instance, _ key: String) -> [String: String] {
    [
      "ALERTING_DATABASE_URL": instance.database, "REQUEST_METHOD": "POST",
      "REQUEST_URI": "/api/v1/alerts/process-event",
      "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "\(Event.quiet.utf8.count)",
      "HTTP_AUTHORIZATION": "Bearer \(key)",
    ]
  }

  private static func resident(_ pid: String) throws -> Double {
    let status = try String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    let kilobytes = line.flatMap { Double($0.filter(\.isNumber)) } ?? 0
    return (kilobytes / 102.4).rounded() / 10
  }
}
