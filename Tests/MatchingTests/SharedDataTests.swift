import JSON
import Testing

@testable import Matching

@Suite("The shared test data") struct SharedDataTests {
  private static let files = ["conditions.ndjson", "audit_policies.ndjson"]
  private static let cases = Result { try files.flatMap(DataCase.all) }

  @Test("The files are there and have their cases")
  func filesAreThere() throws { #expect(try Self.cases.get().count >= 1900) }

  @Test("A policy matches an event, does not, or is refused, as the case says", arguments: try cases.get())
  func caseHolds(_ data: DataCase) throws {
    guard data.expected != "refused" else {
      #expect(throws: JSONFaults.self) { try Expression(json: data.rule) }
      return
    }
    let holds = try Matcher.holds(Expression(json: data.rule), for: data.event)
    #expect(JSONValue.bool(holds) == data.expected)
  }

  @Test("All policies compiled together match as each does alone")
  func together() throws {
    let cases = try Self.cases.get().filter { $0.expected != "refused" }
    let matcher = Matcher(try cases.map { try Expression(json: $0.rule) })
    for (index, data) in cases.enumerated() {
      #expect(JSONValue.bool(try matcher.match(data.event.span).contains(index)) == data.expected, "\(data.id)")
    }
  }
}
