import Allocations
import Foundation
import Glibc
import JSON
import Matching

/// What was measured for one row.
struct Measurement {
  static let heading = """
    | policies | number | events | bytes | events/s | ns/event | allocations | parse ms | compile ms | MB |
    |---|---:|---|---:|---:|---:|---:|---:|---:|---:|
    """

  /// The row of the table.
  let line: String

  /// A median of so many rounds, each of so many seconds at least.
  private static let rounds = 5
  private static let roundSeconds = 0.05
  /// How long the matches of single events are checked, at most. The planted events come first.
  private static let checkSeconds = 1.0
  /// Of so many events one is planted.
  private static let plantedEvery = 128

  init(of row: Row, data: URL) throws {
    switch row {
    case .made(let shape, let count, let kind): try self.init(shape, count, kind, data)
    case .scan(let kind): try self.init(scanOf: kind, data)
    case .real: try self.init(realIn: data)
    }
  }

  /// Reading alone: what is left of a match where nothing is wanted that the events have.
  private init(scanOf kind: EventKind, _ data: URL) throws {
    let texts = try Events(kind, data: data).documents.map(\.json)
    let compiled = try Compiled([Array(#"{"field":"no such field","operator":"exists","value":true}"#.utf8)])
    try Self.check(compiled.matcher, texts, texts.map { _ in [] })
    line = try Self.line("scan", kind.rawValue, compiled, texts, texts.map { _ in 0 })
  }

  private init(_ shape: PolicyShape, _ count: Int, _ kind: EventKind, _ data: URL) throws {
    let events = try Events(kind, data: data)
    let rules = (0..<count).map { shape.rule($0, over: events).json }
    var planted: [Int?] = []
    let texts = events.documents.enumerated().map { index, document in
      planted.append(index % Self.plantedEvery == 0 ? index * 7919 % count : nil)
      guard let policy = planted[index] else { return document.json }
      return shape.planted(policy, over: events).reduce(document) { event, part in
        event.replacing(kind.path(to: part.place).split(separator: ".")[...], with: part.value)
      }.json
    }
    let compiled = try Compiled(rules)
    try Self.check(compiled.matcher, texts, planted.map { $0.map { [$0] } ?? [] })
    line = try Self.line(shape.rawValue, kind.rawValue, compiled, texts, planted.map { $0 == nil ? 0 : 1 })
  }

  private init(realIn data: URL) throws {
    let lines = try Data(contentsOf: data.appendingPathComponent("audit_policies.ndjson")).split(separator: 0x0A)
    let rules = try lines.map { line -> [UInt8] in
      let policy = try JSONValue(parsing: line).object?["policy"]?.object ?? JSONObject()
      let name: JSONValue = policy["match_all"] == true ? "AND" : "OR"
      return (["conditions": policy["rules"] ?? .null, "group_operator": name] as JSONValue).json
    }
    let texts = try Events.cloudTrail(data).map { Array($0) }
    let compiled = try Compiled(rules)
    // Each rule alone must match what it matches among all.
    var alone: [[UInt8]: [Int]] = [:]
    var expected = texts.map { _ in [Int]() }
    for (number, rule) in rules.enumerated() {
      let events = try alone[rule] ?? Self.matching(rule, texts)
      alone[rule] = events
      for event in events { expected[event].append(number) }
    }
    try Self.check(compiled.matcher, texts, expected)
    line = try Self.line("real", "cloudtrail", compiled, texts, expected.map(\.count))
  }

  /// Rules parsed and compiled, and what that took.
  private struct Compiled {
    let matcher: Matcher
    let ruleCount: Int
    let parseSeconds, compileSeconds: Double
    let megabytes: Double

    init(_ rules: [[UInt8]]) throws {
      ruleCount = rules.count
      let memory = try Self.residentMemory()
      let start = Measurement.seconds()
      let expressions = try rules.map { try Expression(json: JSONValue(parsing: $0)) }
      let middle = Measurement.seconds()
      matcher = Matcher(expressions)
      parseSeconds = middle - start
      compileSeconds = Measurement.seconds() - middle
      megabytes = try withExtendedLifetime(expressions) { Double(try Self.residentMemory() - memory) / 1e6 }
    }

    /// The resident memory of this process, in bytes. What was allocated and freed before hides some of what rules take, so
    /// only the figures of 100,000 rules tell what one rule takes.
    private static func residentMemory() throws -> Int {
      let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
      return (Int(fields[1]) ?? 0) * 4096
    }
  }

  /// Holds each event's matches against those that are expected, planted events first.
  private static func check(_ matcher: Matcher, _ events: [[UInt8]], _ expected: [[Int]]) throws {
    let start = seconds()
    let matching = expected.indices.filter { !expected[$0].isEmpty }
    for (number, event) in (matching + expected.indices.filter { expected[$0].isEmpty }).enumerated() {
      let found = try Self.matches(matcher, events[event])
      guard found == expected[event] else {
        print("event \(String(decoding: events[event], as: UTF8.self)): matches \(found), not \(expected[event])")
        exit(1)
      }
      if number >= matching.count, seconds() - start > checkSeconds { return }
    }
  }

  /// The events that a rule matches.
  private static func matching(_ rule: [UInt8], _ events: [[UInt8]]) throws -> [Int] {
    let matcher = try Compiled([rule]).matcher
    return try events.indices.filter { try !matches(matcher, events[$0]).isEmpty }
  }

  @inline(__always) private static func matches(_ matcher: Matcher, _ event: [UInt8]) throws -> [Int] {
    try matcher.match(event.span)
  }

  private static func line(
    _ policies: String, _ kind: String, _ compiled: Compiled, _ events: [[UInt8]], _ expected: [Int]
  ) throws -> String {
    let matcher = compiled.matcher
    var next = 0
    var times: [Double] = []
    while times.count < rounds {
      let start = seconds()
      var (count, matches, wanted) = (0, 0, 0)
      repeat {
        for _ in 0..<128 {
          matches += try Self.matches(matcher, events[next]).count
          wanted += expected[next]
          next = next + 1 == events.count ? 0 : next + 1
        }
        count += 128
      } while seconds() - start < roundSeconds
      times.append((seconds() - start) / Double(count))
      guard matches == wanted else {
        print("\(matches) matches, not \(wanted)")
        exit(1)
      }
    }
    let time = times.sorted()[times.count / 2]
    let bytes = events.reduce(0) { $0 + $1.count } / events.count
    let figures = [
      "\(bytes)", "\(Int(1 / time))", "\(Int(time * 1e9))",
      String(format: "%.2f", try allocations(matcher, events, expected)),
      String(format: "%.1f", compiled.parseSeconds * 1e3),
      String(format: "%.1f", compiled.compileSeconds * 1e3), String(format: "%.1f", compiled.megabytes),
    ]
    return "| \(policies) | \(compiled.ruleCount) | \(kind) | \(figures.joined(separator: " | ")) |"
  }

  /// How often memory is asked for by an event that matches nothing, on average, once all events have been read.
  private static func allocations(_ matcher: Matcher, _ events: [[UInt8]], _ expected: [Int]) throws -> Double {
    var (before, count) = (0 as UInt, 0)
    for pass in 0..<2 {
      if pass == 1 { before = allocations_of_this_thread() }
      for event in events.indices where expected[event] == 0 {
        _ = try matches(matcher, events[event])
        count += pass
      }
    }
    precondition(before > 0, "allocations are not counted on this machine")
    return Double(allocations_of_this_thread() - before) / Double(count)
  }

  /// The processor time of this process, in seconds.
  private static func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
