import Foundation
import JSON
import Matching

/// How fast one core matches: policies of several shapes, from ten to 100,000, over two kinds of events; and real policies over
/// real events.
///
///     swift run -c release match-benchmark [--data DIR] [WORD…]
///
/// Words select rows: shapes or `scan` (one policy for a field that no event has) or `real`, numbers of policies, kinds of
/// events. Each row runs in a process of its own, so that its memory is its own. Times are of the processor, not of
/// the clock, so that a busy machine disturbs them little. A row whose matches are not those that were planted ends the program.
@main
struct MatchBenchmark {
  static func main() throws {
    var words = Array(CommandLine.arguments.dropFirst())
    var data = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../../shared/data").standardized
    if let option = words.firstIndex(of: "--data"), option + 1 < words.count {
      data = URL(fileURLWithPath: words[option + 1])
      words.removeSubrange(option...option + 1)
    }
    let rows = Row.selected(by: words)
    guard rows.count != 1 else { return print(try Measurement(of: rows[0], data: data).line) }
    print(Measurement.heading)
    fflush(nil)
    for row in rows { try run(["--data", data.path] + row.words) }
  }

  /// Runs this program for one row.
  private static func run(_ arguments: [String]) throws {
    let process = try Process.run(
      URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath(), arguments: arguments)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { exit(1) }
  }
}

/// One line of the table.
enum Row {
  case made(PolicyShape, count: Int, EventKind)
  case scan(EventKind)
  case real

  private static let all =
    PolicyShape.allCases.flatMap { shape in
      EventKind.allCases.flatMap { events in
        [10, 100, 1000, 10_000, 100_000].map { Row.made(shape, count: $0, events) }
      }
    } + EventKind.allCases.map(Row.scan) + [.real]

  /// The words that select just this row.
  var words: [String] {
    switch self {
    case .made(let shape, let count, let events): [shape.rawValue, "\(count)", events.rawValue]
    case .scan(let events): ["scan", events.rawValue]
    case .real: ["real", EventKind.cloudtrail.rawValue]
    }
  }

  /// The rows that have at least one of the words that there are of each sort; all for no words.
  static func selected(by words: [String]) -> [Row] {
    let known = Set(all.flatMap(\.words))
    guard words.allSatisfy(known.contains) else {
      print("the words are: \(known.sorted().joined(separator: " "))")
      exit(2)
    }
    let kinds = words.filter { EventKind(rawValue: $0) != nil }
    let counts = words.filter { Int($0) != nil }
    let shapes = words.filter { !kinds.contains($0) && !counts.contains($0) }
    return all.filter { row in
      [shapes, counts, kinds].allSatisfy { $0.isEmpty || $0.contains(where: row.words.contains) }
    }
  }
}
