import JSON
import Testing

@testable import Matching

@Suite("Expressions") struct ExpressionTests {
  private func read(_ text: String) throws -> Expression {
    try Expression(json: JSONValue(parsing: text.utf8))
  }

  private func pointers(of text: String) throws -> [String] {
    try #require(throws: JSONFaults.self) { try read(text) }.faults.map(\.pointer)
  }

  @Test("Simple and compound rules are told apart by their type, or by having conditions")
  func types() throws {
    let condition = #"{"field":"f","operator":"eq","value":1}"#
    guard case .condition = try read(condition) else { throw Unexpected() }
    guard case .condition = try read(#"{"rule_type":"simple","field":"f","operator":"eq","conditions":null}"#) else {
      throw Unexpected()
    }
    guard case .all(let parts) = try read(#"{"rule_type":"compound","conditions":[\#(condition),\#(condition)]}"#),
      parts.count == 2
    else { throw Unexpected() }
    guard case .any = try read(#"{"conditions":[\#(condition)],"group_operator":"OR","name":"n"}"#) else {
      throw Unexpected()
    }
    guard case .not = try read(#"{"conditions":[\#(condition)],"group_operator":"NOT"}"#) else { throw Unexpected() }
  }

  private struct Unexpected: Error {}

  @Test("Faults point into the nested condition that has them")
  func faultPlaces() throws {
    #expect(
      try pointers(
        of: #"""
          {"conditions":[{"field":"f","operator":"eq"},
            {"group_operator":"NOT","conditions":[{"field":"","operator":"is"}]},{"field":"g","operator":"regex","value":"("}]}
          """#)
        == [
          "/conditions/1/conditions/0/field", "/conditions/1/conditions/0/operator",
          "/conditions/2/value",
        ])
  }

  @Test("A group is refused empty, a NOT with more than one element, and a type or operator that is none")
  func refusedGroups() throws {
    let condition = #"{"field":"f","operator":"eq","value":1}"#
    #expect(try pointers(of: #"{"conditions":[]}"#) == ["/conditions"])
    #expect(try pointers(of: #"{"rule_type":"compound"}"#) == ["/conditions"])
    #expect(
      try pointers(of: #"{"conditions":[\#(condition),\#(condition)],"group_operator":"NOT"}"#)
        == ["/conditions"])
    #expect(
      try pointers(of: #"{"conditions":[\#(condition)],"group_operator":"XOR"}"#) == ["/group_operator"])
    #expect(try pointers(of: #"{"rule_type":"other","conditions":[]}"#) == ["/rule_type"])
    #expect(try pointers(of: "[]") == [""])
  }

  @Test("Groups nest 8 deep and hold 500 conditions, no more")
  func bounds() throws {
    func nested(_ depth: Int) -> JSONValue {
      (0..<depth).reduce(["field": "f", "operator": "eq"]) { inner, _ in ["conditions": [inner]] }
    }
    func groups(_ counts: Int...) -> JSONValue {
      ["conditions": .array(counts.map { ["conditions": .array(Array(repeating: nested(0), count: $0))] })]
    }
    #expect(try Expression(json: nested(8)).conditionCount == 1)
    #expect(try Expression(json: groups(250, 250)).conditionCount == 500)
    let deep = try #require(throws: JSONFaults.self) { try Expression(json: nested(9)) }
    #expect(deep.faults.map(\.pointer) == [String(repeating: "/conditions/0", count: 8)])
    let many = try #require(throws: JSONFaults.self) { try Expression(json: groups(250, 251)) }
    #expect(many.faults.map(\.pointer) == [""])
  }
}
