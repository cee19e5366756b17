import BenchmarkInstance
import Foundation

/// The service through nginx on one machine, in one run: its rates beside those of the yardsticks, and a worker's size and start.
///
///     swift run -c release service-benchmark [rounds] [port]
///
/// Each round measures everything once, after one that does not count; the table has the medians.
@main
struct ServiceBenchmark {
  static let workers = 4

  static func main() throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
    let port = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8901
    let instance = try Instance(port: port, workers: workers)
    defer { instance.stop() }
    let yardstick = try Yardstick("lookup", in: instance, workers: workers)
    defer { yardstick.stop() }
    let workerFigures = try workerFigures(instance)
    let scenarios = try scenarios(instance)
    var rates = scenarios.map { _ in [Double]() }
    for scenario in scenarios { _ = try scenario.measure() }
    for round in 1...rounds {
      // Each second round goes backwards, so that what one scenario leaves the disk to do is not always the same one's burden.
      for index in round.isMultiple(of: 2) ? scenarios.indices.reversed() : Array(scenarios.indices) {
        let scenario = scenarios[index]
        rates[index].append(try scenario.measure())
        print("round \(round)/\(rounds): \(scenario.name) \(Int(rates[index][round - 1]))/s")
      }
    }
    printTable(Array(zip(scenarios, rates)))
    print("\n| a worker | figure | bar |\n|---|---|---|\n\(workerFigures)")
    print("| resident memory of the largest one, after 10,000 policies | \(try Worker.resident(instance)) MB | 40 MB |")
  }

  /// What a worker needs that has served nothing but a tenant of 100 policies.
  static func workerFigures(_ instance: Instance) throws -> String {
    let key = try instance.makeTenant("worker", policies: 100)
    _ = try Load.post(Event.quiet, to: instance.url + "/process-event", key: key)
    let (memory, start) = (try Worker.resident(instance), try Worker.start(instance, key: key))
    return """
      | resident memory of the largest one, 100 policies | \(memory) MB | 20 MB |
      | start to first answer, whole process | \(String(format: "%.1f", start)) ms | 30 ms |
      """
  }

  struct Scenario {
    let name: String
    /// The scenario that it is held against, by name, and the least share of its rate.
    let bar: (yardstick: String, ratio: Double)?
    let measure: () throws -> Double
  }

  static func scenarios(_ instance: Instance) throws -> [Scenario] {
    let hundred = try instance.makeTenant("hundred", policies: 100)
    let thousands = try instance.makeTenant("thousands", policies: 10_000)
    let raising = try instance.makeRaisingTenant("raising")
    let admission = try AdmissionScript(of: instance, tenant: "raising", key: raising)
    let target = instance.url + "/process-event"
    return [
      Scenario(name: "one prepared lookup", bar: nil) {
        try Load.post(Event.quiet, to: instance.url + "/lookup", key: hundred)
      },
      Scenario(name: "100 policies, no match", bar: ("one prepared lookup", 0.8)) {
        try Load.post(Event.quiet, to: target, key: hundred)
      },
      Scenario(name: "10,000 policies, no match", bar: ("100 policies, no match", 0.9)) {
        try Load.post(Event.quiet, to: target, key: thousands)
      },
      Scenario(name: "pgbench, the same statement", bar: nil) {
        try Load.pgbench(
          admission.script, settings: admission.scope, database: instance.database, clients: workers)
      },
      Scenario(name: "an alert with two deliveries", bar: ("pgbench, the same statement", 0.7)) {
        try Load.post(Event.quiet, to: target, key: raising)
      },
    ]
  }

  static func printTable(_ results: [(Scenario, [Double])]) {
    let medians = Dictionary(uniqueKeysWithValues: results.map { ($0.name, median($1)) })
    print("\n| what | median /s | min | max | of | ratio | bar |\n|---|---|---|---|---|---|---|")
    for (scenario, rates) in results {
      let rate = median(rates)
      var row = "| \(scenario.name) | \(Int(rate)) | \(Int(rates.min() ?? 0)) | \(Int(rates.max() ?? 0)) |"
      if let bar = scenario.bar, let yardstick = medians[bar.yardstick] {
        row += " \(bar.yardstick) | \(String(format: "%.2f", rate / yardstick)) | \(bar.ratio) |"
      } else {
        row += " | | |"
      }
      print(row)
    }
  }
}
