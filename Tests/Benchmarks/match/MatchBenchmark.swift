import Foundation
import JSON
import Matching

/// How fast one core matches: policies of several shapes, from ten to 100,000, over two kinds of events; and real policies over
/// real events.
///
///     swift run -c release --static-swift-stdlib match-benchmark [--data DIR] [WORD…]
///
/// Words select rows: shapes, numbers of policies, kinds of events, `real`. Each row runs in a process of its own, so that its
/// memory is its own. Times are of the processor, not of the clock, so that a busy machine disturbs them little. A row whose
/// matches are not those that were planted ends the program.
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
  case real

  private static let all =
    PolicyShape.allCases.flatMap { shape in
      EventKind.allCases.flatMap { events in
        [10, 100, 1000, 10_000, 100_000].map { Row.made(shape, count: $0, events) }
      }
    } + [.real]

  /// The words that select just this row.
  var words: [String] {
    switch self {
    case .made(let shape, let count, let events): [shape.rawValue, "\(count)", events.rawValue]
    case .real: ["real"]
    }
  }

  /// The rows that have at least one of the words that there are of each sort; all for no words.
  static func selected(by words: [String]) -> [Row] {
    let shapes = words.compactMap(PolicyShape.init)
    let kinds = words.compactMap(EventKind.init)
    let counts = words.compactMap { Int($0) }
    let unknown = words.count - shapes.count - kinds.count - counts.count - words.count { $0 == "real" }
    guard unknown == 0 else {
      print("the words are: \(Set(all.flatMap(\.words)).sorted().joined(separator: " "))")
      exit(2)
    }
    return all.filter { row in
      switch row {
      case .real: words.isEmpty || words.contains("real")
      case .made(let shape, let count, let events):
        words != ["real"] && (shapes.isEmpty || shapes.contains(shape)) && (kinds.isEmpty || kinds.contains(events))
          && (counts.isEmpty || counts.contains(count))
      }
    }
  }
}
