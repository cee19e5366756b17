import JSON
import Testing

@testable import Matching

@Suite("Expressions") struct ExpressionTests {
  private func read(_ text: String) throws -> Expression {
    try Expression(json: JSONValue(parsing: text.utf8), at: "/rule_configs/0")
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
          "/rule_configs/0/conditions/1/conditions/0/field", "/rule_configs/0/conditions/1/conditions/0/operator",
          "/rule_configs/0/conditions/2/value",
        ])
  }

  @Test("A group is refused empty, a NOT with more than one element, and a type or operator that is none")
  func refusedGroups() throws {
    let condition = #"{"field":"f","operator":"eq","value":1}"#
    #expect(try pointers(of: #"{"conditions":[]}"#) == ["/rule_configs/0/conditions"])
    #expect(try pointers(of: #"{"rule_type":"compound"}"#) == ["/rule_configs/0/conditions"])
    #expect(
      try pointers(of: #"{"conditions":[\#(condition),\#(condition)],"group_operator":"NOT"}"#)
        == ["/rule_configs/0/conditions"])
    #expect(
      try pointers(of: #"{"conditions":[\#(condition)],"group_operator":"XOR"}"#) == ["/rule_configs/0/group_operator"])
    #expect(try pointers(of: #"{"rule_type":"other","conditions":[]}"#) == ["/rule_configs/0/rule_type"])
    #expect(try pointers(of: "[]") == ["/rule_configs/0"])
  }

  @Test("Groups nest 8 deep and hold 500 conditions, no more")
  func bounds() throws {
    func nested(_ depth: Int) -> JSONValue {
      (0..<depth).reduce(["field": "f", "operator": "eq"]) { inner, _ in ["conditions": [inner]] }
    }
    func groups(_ counts: Int...) -> JSONValue {
      ["conditions": .array(counts.map { ["conditions": .array(Array(repeating: nested(0), count: $0))] })]
    }
    #expect(try Expression(json: nested(8), at: "").conditionCount == 1)
    #expect(try Expression(json: groups(250, 250), at: "").conditionCount == 500)
    let deep = try #require(throws: JSONFaults.self) { try Expression(json: nested(9), at: "") }
    #expect(deep.faults.map(\.pointer) == [String(repeating: "/conditions/0", count: 8)])
    let many = try #require(throws: JSONFaults.self) { try Expression(json: groups(250, 251), at: "") }
    #expect(many.faults.map(\.pointer) == [""])
  }
}
