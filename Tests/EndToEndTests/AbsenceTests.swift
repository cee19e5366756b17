import Foundation
import TestSupport
import Testing

@Suite("The service while its database is away")
struct AbsenceTests {
  @Test("All routes soon answer 503 through nginx, whatever ails the server, and 200 again without a restart")
  func everyTrouble() async throws {
    let cluster = try TestCluster()
    let instance = try await Instance(settings: ["ALERTING_DATABASE_URL": cluster.url])
    let workers = try await workers(of: instance)
    try await expect([200], from: instance, "before")
    for trouble in TestCluster.Trouble.allCases {
      try cluster.begin(trouble)
      for round in 1...3 { try await expect([503], from: instance, "\(trouble), round \(round)") }
      try cluster.end(trouble)
      try await wait(upTo: 20, for: "all routes after \(trouble)") {
        try await ask(instance).allSatisfy { $0.status == 200 }
      }
    }
    #expect(try await self.workers(of: instance) == workers)
    #expect(try await instance.stop().status == 0)
  }

  private static let routes = ["policies", "rules", "providers", "alerts", "suppressions", "deliveries"]

  private func workers(of instance: Instance) async throws -> [[Int32]] {
    var workers: [[Int32]] = []
    for route in Self.routes { workers.append(try await instance.processes(of: route)) }
    return workers
  }

  private struct Sample {
    let url: String
    let status: Int
    let seconds: Double
    let retryAfter: String
  }

  /// Asks every route four times at once.
  private func ask(_ instance: Instance) async throws -> [Sample] {
    let paths = ["/health"] + Self.routes.map { "/api/v1/alerts/" + $0 }
    let urls = paths.flatMap { Array(repeating: "http://127.0.0.1:\(instance.port)\($0)", count: 4) }
    let format = #"%{url_effective} %{http_code} %{time_total} %header{retry-after}\n"#
    let answers = try await Command.run(
      "curl",
      ["--silent", "--parallel", "--parallel-immediate", "--max-time", "20", "--write-out", format]
        + ["--header", "Authorization: Bearer \(instance.key)"]
        + urls.flatMap { ["--output", "/dev/null", $0] })
    return answers.output.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 4, let status = Int(words[1]), let seconds = Double(words[2]) else { return nil }
      return Sample(url: words[0], status: status, seconds: seconds, retryAfter: words[3])
    }
  }

  private func expect(_ statuses: Set<Int>, from instance: Instance, _ comment: Comment) async throws {
    let samples = try await ask(instance)
    #expect(samples.count == 4 * (Self.routes.count + 1), comment)
    for sample in samples {
      #expect(statuses.contains(sample.status), "\(comment): \(sample)")
      #expect(sample.seconds < 6, "\(comment): \(sample)")
      #expect(sample.status == 200 || sample.retryAfter == "5", "\(comment): \(sample)")
    }
  }
}
