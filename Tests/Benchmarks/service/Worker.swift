import BenchmarkInstance
import Foundation

/// What one worker needs: memory with 100 policies compiled, and the time from its start to its first answer.
enum Worker {
  /// Resident memory of the largest worker of the pool, in MB.
  static func resident(_ instance: Instance) throws -> Double {
    try instance.workers(of: "process-event").map { try ProcessFigures.resident($0) }.max() ?? 0
  }

  /// Milliseconds from the start of a worker to its first answer, median of 21.
  static func start(_ instance: Instance, key: String) throws -> Double {
    median(try (1...21).map { _ in try firstAnswer(instance, key: key) * 1000 })
  }

  /// Seconds that the program takes as a plain CGI process from its start to its end, connecting and compiling included.
  private static func firstAnswer(_ instance: Instance, key: String) throws -> Double {
    let start = ContinuousClock.now
    let answer = try run(
      instance.program(of: "process-event"), [], environment: environment(instance, key), input: Event.quiet)
    let duration = ContinuousClock.now - start
    guard answer.hasPrefix("Status: 200") else { throw CommandFailed(command: "process-event", output: answer) }
    return Double(duration.components.attoseconds) / 1e18 + Double(duration.components.seconds)
  }

  private static func environment(_ instance: Instance, _ key: String) -> [String: String] {
    [
      "ALERTING_DATABASE_URL": instance.database, "ALERTING_STATE_DIRECTORY": instance.state.path,
      "REQUEST_METHOD": "POST",
      "REQUEST_URI": "/api/v1/alerts/process-event",
      "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "\(Event.quiet.utf8.count)",
      "HTTP_AUTHORIZATION": "Bearer \(key)",
    ]
  }
}
