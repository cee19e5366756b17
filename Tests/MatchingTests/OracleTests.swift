import Glibc
import JSON
import Testing

@testable import Matching

@Suite("Random rules and events") struct OracleTests {
  /// A seed of the environment's choice, to see a failure again, or a new one.
  private static let seed =
    getenv("TOCSIN_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...(.max))

  @Test("The matcher and a naive evaluation of the contract agree on 240,000 pairs")
  func agreement() throws {
    print("TOCSIN_TEST_SEED=\(Self.seed)")
    var cases = RandomCases(seed: Self.seed)
    var matches = 0
    for _ in 0..<120 {
      let rules = (0..<50).map { _ in cases.rule() }
      let expressions = try rules.map(expression)
      let matcher = Matcher(expressions)
      for _ in 0..<40 {
        let text = cases.event()
        let event = try JSONValue(parsing: text.utf8)
        let expected = expressions.indices.filter { Oracle.holds(expressions[$0], for: event) }
        let found = try matcher.match(Array(text.utf8).span)
        matches += found.count
        guard found != expected else { continue }
        let differing = Set(found).symmetricDifference(expected).sorted().map { rules[$0] }
        Issue.record("seed \(Self.seed), event \(text): \(differing)")
        return
      }
    }
    #expect((24_000..<216_000).contains(matches), "seed \(Self.seed)")
  }
}
