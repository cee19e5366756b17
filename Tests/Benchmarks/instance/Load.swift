import Foundation

/// A bounded load and the rate that it reached, in requests or transactions a second.
package enum Load {
  /// Seconds that one measurement lasts.
  package static let seconds = 4
  /// Connections that the load generator keeps open.
  package static let connections = 16

  /// Posts the same body again and again through nginx, on one thread of wrk. Answers other than 2xx are a failure of the
  /// benchmark, not a figure.
  package static func post(
    _ body: String, to url: String, key: String, type: String = "application/json", connections: Int = connections
  ) throws -> Double {
    let script = FileManager.default.temporaryDirectory.appendingPathComponent("post-\(UUID().uuidString).lua")
    defer { try? FileManager.default.removeItem(at: script) }
    let lua = """
      wrk.method = "POST"
      wrk.headers["Content-Type"] = "\(type)"
      wrk.headers["Authorization"] = "Bearer \(key)"
      wrk.body = [==[\(body)]==]
      """
    try lua.write(to: script, atomically: true, encoding: .utf8)
    let report = try run(
      "wrk",
      ["--threads", "1", "--connections", "\(connections)", "--duration", "\(seconds)s", "--script", script.path, url])
    guard !report.contains("Non-2xx"), let rate = figure(behind: "Requests/sec:", in: report) else {
      throw CommandFailed(command: "wrk \(url)", output: report)
    }
    return rate
  }

  /// Runs a script again and again with pgbench, prepared, and planned as the service has it planned
  /// (`Postgres/ConnectionOptions.swift`), in sessions with more settings from their start.
  package static func pgbench(
    _ statements: String, settings: [String] = [], database: String, clients: Int
  ) throws -> Double {
    let script = FileManager.default.temporaryDirectory.appendingPathComponent("pgbench-\(UUID().uuidString).sql")
    defer { try? FileManager.default.removeItem(at: script) }
    try statements.write(to: script, atomically: true, encoding: .utf8)
    let planning = ["plan_cache_mode=force_generic_plan", "enable_seqscan=off", "enable_bitmapscan=off", "jit=off"]
    let report = try run(
      "pgbench",
      [
        "--no-vacuum", "--protocol=prepared", "--client=\(clients)", "--time=\(seconds)", "--file=\(script.path)",
        database,
      ],
      environment: ["PGOPTIONS": (planning + settings).map { "-c \($0)" }.joined(separator: " ")])
    guard !report.contains("ERROR"), let rate = figure(behind: "tps =", in: report) else {
      throw CommandFailed(command: "pgbench", output: report)
    }
    return rate
  }

  private static func figure(behind label: String, in report: String) -> Double? {
    guard let line = report.split(separator: "\n").first(where: { $0.contains(label) }),
      let text = line.components(separatedBy: label).last
    else { return nil }
    return text.split(separator: " ").first.flatMap { Double($0) }
  }
}
