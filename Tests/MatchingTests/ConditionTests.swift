import JSON
import Testing

@testable import Matching

@Suite("Conditions") struct ConditionTests {
  @Test(
    "A condition is written back with its value as it went in",
    arguments: [
      #"{"field":"a.b","operator":"eq","value":1.50,"case_sensitive":true}"#,
      #"{"field":"a","operator":"not_in","value":["x",1,1.0,true,null,["y"],{"k":-0}],"case_sensitive":false}"#,
      #"{"field":"a\nb","operator":"regex","value":"^\\d+$","case_sensitive":true}"#,
      #"{"field":"a","operator":"exists","value":false,"case_sensitive":true}"#,
    ])
  func roundTrip(text: String) throws {
    let condition = try Condition(json: JSONValue(parsing: text.utf8))
    #expect(String(decoding: condition.json, as: UTF8.self) == text)
  }

  @Test("A missing value is null, case matters by default, and other members are passed over")
  func defaults() throws {
    let condition = try Condition(json: ["field": "a", "operator": "eq", "extra": 1])
    #expect(condition.value == .null)
    #expect(condition.isCaseSensitive)
  }

  @Test("Every fault of a condition is told with its place")
  func allFaults() {
    let expected = JSONFaults([
      JSONFault(pointer: "/field", detail: "is required"),
      JSONFault(pointer: "/case_sensitive", detail: "must be true or false, not a string"),
      JSONFault(pointer: "/value", detail: "must be an array of the values to look for, not a string"),
    ])
    #expect(throws: expected) {
      try Condition(json: ["operator": "in", "value": "x", "case_sensitive": "no"])
    }
  }

  @Test(
    "A value that the operator has no use for is refused where it stands",
    arguments: [
      (#"{"operator":"in","value":{"a":1}}"#, "/value", "must be an array"),
      (#"{"operator":"not_in"}"#, "/value", "must be an array"),
      (#"{"operator":"regex","value":5}"#, "/value", "must be a string"),
      (#"{"operator":"starts_with"}"#, "/value", "must be a string"),
      (#"{"operator":"ends_with","value":["a"]}"#, "/value", "must be a string"),
      (#"{"operator":"exists","value":"yes"}"#, "/value", "must be true or false"),
      (#"{"operator":"cidr","value":[]}"#, "/value", "must have at least one network"),
      (#"{"operator":"cidr","value":["10.0.0.0/8","10.0.0.0/33"]}"#, "/value/1", "must be a network"),
      (#"{"operator":"equals","value":1}"#, "/operator", "must be one of \"eq\", \"ne\""),
      (#"{"operator":"EQ","value":1}"#, "/operator", "must be one of"),
      (#"{"operator":null}"#, "/operator", "is required"),
    ])
  func refusedValues(text: String, pointer: String, beginning: String) throws {
    var object = try #require(try JSONValue(parsing: text.utf8).object)
    object["field"] = "f"
    let faults = try #require(throws: JSONFaults.self) { try Condition(json: .object(object)) }
    #expect(faults.faults.map(\.pointer) == [pointer])
    #expect(faults.faults.first?.detail.hasPrefix(beginning) == true, "\(faults)")
  }

  @Test("Strings, lists and patterns have bounds")
  func bounds() throws {
    func condition(_ name: String, _ value: JSONValue) throws -> Condition {
      try Condition(json: ["field": "f", "operator": .string(name), "value": value])
    }
    let long = String(repeating: "é", count: Comparison.stringLimit)
    _ = try condition("eq", .string(long))
    _ = try condition("in", .array(Array(repeating: 1, count: Comparison.valueLimit)))
    _ = try condition("regex", .string(String(repeating: "é", count: Comparison.patternLimit)))
    for (name, value, pointer) in [
      ("eq", JSONValue.string(long + "x"), "/value"),
      ("in", ["a", .string(long + "x")], "/value/1"),
      ("eq", ["a/b": .string(long + "x")], "/value/a~1b"),
      ("in", .array(Array(repeating: 1, count: Comparison.valueLimit + 1)), "/value"),
      ("regex", .string(String(repeating: "é", count: Comparison.patternLimit + 1)), "/value"),
    ] {
      let faults = try #require(throws: JSONFaults.self) { try condition(name, value) }
      #expect(faults.faults.map(\.pointer) == [pointer])
    }
  }

  @Test(
    "A pattern that RE2 refuses is refused with RE2's reason",
    arguments: [
      ("(a", "missing )"), ("*a", "no argument for repetition operator"), ("[z-a]", "invalid character class range"),
      ("(?=a)a", "invalid perl operator"), (#"(a)\1"#, #"invalid escape sequence: \1"#),
      ("x{1001}", "invalid repetition size"), ("((a{100}){100}){100}", "invalid repetition size"),
      (#"(\pL{500}){2}"#, "pattern too large"),
    ])
  func refusedPatterns(pattern: String, reason: String) throws {
    let faults = try #require(throws: JSONFaults.self) {
      try Condition(json: ["field": "f", "operator": "regex", "value": .string(pattern)])
    }
    let detail = try #require(faults.faults.first?.detail)
    #expect(faults.faults.map(\.pointer) == ["/value"])
    #expect(detail.hasPrefix("must be a pattern in RE2 syntax, without look-around and back-references: "))
    #expect(detail.contains(reason), "\(detail)")
  }

  @Test("A field has 1 to 512 characters, and no NUL")
  func fieldBounds() throws {
    for text in [".", "a.", "..", String(repeating: "é", count: 512)] { #expect(FieldPath(text)?.text == text) }
    for text in ["", "a\0", String(repeating: "é", count: 513)] {
      #expect(FieldPath(text) == nil)
      let faults = try #require(throws: JSONFaults.self) { try FieldPath(json: .string(text)) }
      #expect(faults.faults.map(\.pointer) == [""])
    }
  }

  @Test("A path finds every spelling, through arrays, in the event's order")
  func valuesOfPath() throws {
    let event = try JSONValue(
      parsing: #"{"a":{"b":{"c":1},"b.c":2,"":{"c":0}},"a.b.c":3,"a.b":[{"c":4},{"c":[5,null]},[{"c":null}],6]}"#.utf8)
    let path = try #require(FieldPath("a.b.c"))
    #expect(path.values(in: event) == [1, 2, 3, 4, [5, nil], nil])
    #expect(try #require(FieldPath("a..c")).values(in: event) == [0])
    #expect(try #require(FieldPath("a.b.c.d")).values(in: event).isEmpty)
  }
}
