import Host
import TestSupport

/// What a worker takes until a tenant's policies are ready, in time and in memory, from their rows in PostgreSQL to the compiled
/// set, by the number of policies.
///
///     TOCSIN_TEST_DATABASE_URL=postgresql:///postgres?host=… swift run -c release load-benchmark [rounds]
///
/// Each figure is the median over processes that have done nothing else. Needs `../shared/data`.
@main
struct LoadBenchmark {
  static let sizes = [10, 100, 1000, 10_000]

  static func main() throws {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if arguments.count == 3, arguments[0] == "worker" {
      return try Worker(url: arguments[1], tenant: arguments[2]).measure().forEach { print($0) }
    }
    let rounds = arguments.first.flatMap { Int($0) } ?? 7
    let database = try TestDatabase()
    let events = Array(try Documents.lines(of: "events.ndjson").prefix(200).joined(separator: [0x0A]))
    print("| policies | | \(Worker.figures.joined(separator: " | ")) |")
    print("|---|---|" + Worker.figures.map { _ in "---|" }.joined())
    for kind in Documents.Kind.allCases {
      for size in sizes {
        let tenant = "\(kind)-\(size)"
        try Documents(kind, count: size).store(tenant: tenant, in: database)
        let runs = try (0..<rounds).map { _ in try figures(of: tenant, in: database, events) }
        let medians = Worker.figures.indices.map { column in runs.map { $0[column] }.sorted()[rounds / 2] }
        print("| \(size) | \(kind.rawValue) | \(medians.map(rounded).joined(separator: " | ")) |")
      }
    }
  }

  /// What a process of its own measures.
  private static func figures(of tenant: String, in database: TestDatabase, _ events: [UInt8]) throws -> [Double] {
    let worker = try Program(
      "load-benchmark", arguments: ["worker", database.url, tenant], input: .bytes(events))
    let lines = worker.ending() == .exit(0) ? String(decoding: worker.standardOutput, as: UTF8.self) : ""
    let figures = lines.split(separator: "\n").compactMap { Double($0) }
    guard figures.count == Worker.figures.count else { throw WorkerFailed(description: worker.standardError) }
    return figures
  }

  private struct WorkerFailed: Error {
    let description: String
  }

  private static func rounded(_ figure: Double) -> String {
    let tenths = Int((figure * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
  }
}
