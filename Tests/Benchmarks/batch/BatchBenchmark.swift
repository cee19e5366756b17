import BenchmarkInstance
import Foundation

/// Batches through nginx to real workers and a real PostgreSQL, with the load generator beside them: events a second, beside
/// those of a worker that drops the same bodies.
///
///     swift run -c release batch-benchmark [rounds] [port]
///
/// Each round measures everything once, after one that does not count; the table has the medians.
@main
struct BatchBenchmark {
  static let workers = 4

  static func main() throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 5
    let port = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8902
    let instance = try Instance(port: port, workers: workers)
    defer { instance.stop() }
    let yardstick = try Yardstick("sink", in: instance, workers: workers)
    defer { yardstick.stop() }
    let scenarios = try scenarios(instance)
    let memory = try memory(of: scenarios, instance)
    for scenario in scenarios { try scenario.measure(counts: false) }
    for round in 1...rounds {
      // Each second round goes backwards, so that what one scenario leaves the disk to do is not always the same one's burden.
      for scenario in round.isMultiple(of: 2) ? scenarios.reversed() : scenarios {
        try scenario.measure()
        print("round \(round)/\(rounds): \(scenario.name) \(Int(scenario.rates[round - 1]))/s")
      }
    }
    printTable(scenarios)
    print("\n| what a body adds to a worker's memory at its peak | MB |\n|---|---|\n\(memory)")
  }

  static func scenarios(_ instance: Instance) throws -> [Scenario] {
    let sizes = [1, 4, 16]
    let sinks = try sizes.map {
      try Scenario("sink, \($0) MB", Body(megabytes: $0), in: instance, route: "sink")
    }
    let quiet = try sizes.map {
      try Scenario("no match, \($0) MB", Body(megabytes: $0), in: instance, bar: 1_000_000)
    }
    let array = try Scenario("no match, 4 MB array", Body(megabytes: 4, framing: .array), in: instance)
    let throttled = try sizes.map {
      try Scenario(
        "1 % match a throttled policy, \($0) MB", Body(megabytes: $0, watched: 100), in: instance, bar: 700_000
      ).watch(policies: 1, throttleMinutes: 525_600)
    }
    let keyed = try Scenario(
      "1 % match 100 policies by user, 4 MB", Body(megabytes: 4, watched: 100, policies: 100), in: instance
    ).watch(policies: 100, throttleMinutes: 525_600, throttleBy: "[\"user.name\"]")
    let folding = try Scenario(
      "all match a throttled policy, 4 MB", Body(megabytes: 4, watched: 1), in: instance, megabytes: 64
    ).watch(policies: 1, throttleMinutes: 525_600)
    let raising = try Scenario(
      "all raise, two deliveries each, 1 MB", Body(megabytes: 1, watched: 1), in: instance, megabytes: 8
    ).watch(policies: 1, providers: ["first", "second"])
    return sinks + quiet + [array] + throttled + [keyed, folding, raising]
  }

  /// A row for the largest body of each kind: how much more memory than with the compiled policies a worker comes to with it.
  static func memory(of scenarios: [Scenario], _ instance: Instance) throws -> String {
    let largest = scenarios.filter { !$0.name.contains("sink") && !$0.name.contains("1 MB") }
    return try largest.map { scenario in
      try instance.supervise("restart", "process-event:*")
      let workers = try instance.workers(of: "process-event")
      try scenario.measure(counts: false, body: Body(megabytes: 1))
      let before = try workers.map { try ProcessFigures.resident($0) }
      for worker in workers { try ProcessFigures.forgetPeak(worker) }
      try scenario.measure(counts: false)
      let growth = try zip(workers, before).map { try ProcessFigures.peak($0) - $1 }.max() ?? 0
      return "| \(scenario.name) | \(String(format: "%.1f", growth)) |"
    }.joined(separator: "\n")
  }

  static func printTable(_ scenarios: [Scenario]) {
    print("\n| what | median events/s | min | max | bar | workers' ns/event |\n|---|---|---|---|---|---|")
    for scenario in scenarios {
      let rates = scenario.rates
      let bar = scenario.bar.map { "\(Int($0))" } ?? ""
      print(
        "| \(scenario.name) | \(Int(median(rates))) | \(Int(rates.min() ?? 0)) | \(Int(rates.max() ?? 0)) | \(bar) |"
          + " \(Int(median(scenario.costs))) |")
    }
  }
}
