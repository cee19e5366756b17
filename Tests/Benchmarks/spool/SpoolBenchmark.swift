import BenchmarkInstance
import Foundation

/// Events through nginx while PostgreSQL is stopped, each answered when it is on the disk, and their replay once it is back.
///
///     swift run -c release spool-benchmark [rounds] [port]
///
/// The table has the medians. 10,000 policies; the replay is timed by the job, from sealing what there is until it is gone.
@main
struct SpoolBenchmark {
  static let workers = 4

  struct Scenario {
    let name: String
    let body: String
    let events: Int
    let type: String
    let connections: Int
    let bar: Double
    var spooling: [Double] = []
    var replaying: [Double] = []
  }

  static func main() throws {
    let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 3
    let port = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 8903
    let instance = try Instance(port: port, workers: workers)
    defer { instance.stop() }
    let key = try instance.makeTenant("spooling", policies: 10_000)
    var scenarios = [
      Scenario(
        name: "single events", body: event("login"), events: 1, type: "application/json", connections: Load.connections,
        bar: 5000),
      Scenario(
        name: "batches of 3,500", body: lines(every: nil), events: 3500, type: "application/x-ndjson",
        connections: workers, bar: 200_000),
      Scenario(
        name: "batches of 3,500, 1 % match", body: lines(every: 100), events: 3500, type: "application/x-ndjson",
        connections: workers, bar: 200_000),
    ]
    for round in 1...rounds {
      for index in scenarios.indices {
        try measure(&scenarios[index], instance, key)
        let (spooled, replayed) = (scenarios[index].spooling[round - 1], scenarios[index].replaying[round - 1])
        print("round \(round)/\(rounds): \(scenarios[index].name) \(Int(spooled))/s, replayed \(Int(replayed))/s")
      }
    }
    print("\n| what | spooled, events/s | bar | replayed, events/s | bar |\n|---|---:|---:|---:|---:|")
    for scenario in scenarios {
      print(
        "| \(scenario.name) | \(Int(median(scenario.spooling))) | \(Int(scenario.bar)) "
          + "| \(Int(median(scenario.replaying))) | 50000 |")
    }
  }

  static func measure(_ scenario: inout Scenario, _ instance: Instance, _ key: String) throws {
    let url = instance.url + "/process-event"
    try instance.supervise("stop", "replay:*")
    // Every worker has to have checked the key.
    _ = try Load.post(event("login"), to: url, key: key)
    try instance.supervise("stop", "postgres")
    let rate = try Load.post(
      scenario.body, to: url, key: key, type: scenario.type, connections: scenario.connections)
    scenario.spooling.append(rate * Double(scenario.events))
    let before = try replays(instance).count
    try instance.supervise("start", "postgres")
    try instance.supervise("start", "replay:*")
    scenario.replaying.append(try replayRate(instance, after: before))
  }

  /// Waits until a replay is told after the ones that were, and answers how many events a second it was.
  static func replayRate(_ instance: Instance, after before: Int) throws -> Double {
    var told = try replays(instance)
    while told.count == before {
      usleep(20_000)
      told = try replays(instance)
    }
    return told[before].events / max(told[before].milliseconds, 1) * 1000
  }

  /// What the job has told of its replays, in order.
  static func replays(_ instance: Instance) throws -> [(events: Double, milliseconds: Double)] {
    let log = try String(contentsOfFile: instance.state.path + "/logs/replay.log", encoding: .utf8)
    return log.matches(of: #/has been replayed events="(\d+)" milliseconds="(\d+)"/#).map { match in
      (Double(match.1) ?? 0, Double(match.2) ?? 0)
    }
  }

  /// 260 bytes.
  static func event(_ type: String, user: String = "alice") -> String {
    let start = #"{"event_type":"\#(type)","user":{"name":"\#(user)","id":42},"source_ip":"203.0.113.7","note":""#
    return start + String(repeating: "x", count: 258 - start.utf8.count) + "\"}"
  }

  /// Lines of which one in so many meets a policy of `Instance.makeTenant(_:policies:)`.
  static func lines(every matching: Int?) -> String {
    (0..<3500).map { number in
      let isMatch = matching.map { number.isMultiple(of: $0) } ?? false
      return (isMatch ? event("type-7", user: "user-7") : event("login")) + "\n"
    }.joined()
  }
}
