import JSON
import Testing

@testable import Matching

@Suite("Matching") struct MatcherTests {
  private func holds(_ rule: String, _ event: String) throws -> Bool {
    try Matcher.holds(expression(rule), for: event.utf8)
  }

  /// Whether a condition on the field `f` holds.
  private func holds(_ name: String, _ value: String, _ event: String) throws -> Bool {
    try holds(#"{"field":"f","operator":"\#(name)","value":\#(value)}"#, event)
  }

  @Test(
    "Absence and null satisfy only exists false and eq null",
    arguments: [#"{}"#, #"{"f":null}"#, #"{"f":null,"g":1}"#, #"{"f":1,"f":null}"#])
  func absence(event: String) throws {
    #expect(try holds("exists", "false", event))
    #expect(try holds("eq", "null", event))
    for (name, value) in [
      ("exists", "true"), ("ne", "1"), ("ne", "null"), ("not_in", "[1]"), ("not_in", "[]"), ("in", "[null]"),
      ("contains", "\"\""),
      ("regex", "\"\""), ("starts_with", "\"\""), ("ends_with", "\"\""), ("lt", "1"), ("lte", "null"),
      ("cidr", "\"::/0\""),
    ] { #expect(try !holds(name, value, event), "\(name) \(value)") }
  }

  @Test("NOT is plain negation, true where the field is missing; ne is not")
  func negation() throws {
    let condition = #"{"field":"status","operator":"eq","value":"ok"}"#
    let not = #"{"conditions":[\#(condition)],"group_operator":"NOT"}"#
    let notNot = #"{"conditions":[\#(not)],"group_operator":"NOT"}"#
    #expect(try holds(not, "{}"))
    #expect(try holds(not, #"{"status":"bad"}"#))
    #expect(try !holds(not, #"{"status":"ok"}"#))
    #expect(try holds(notNot, #"{"status":"ok"}"#))
    #expect(try !holds(notNot, "{}"))
    #expect(try !holds(#"{"field":"status","operator":"ne","value":"ok"}"#, "{}"))
  }

  @Test(
    "An array satisfies what one of its elements does, and ne says that none is equal",
    arguments: [
      ("eq", "\"a\"", #"["b","a"]"#, true), ("ne", "\"a\"", #"["b","a"]"#, false), ("ne", "\"c\"", #"["b","a"]"#, true),
      ("eq", "[1,2]", "[1.0,2]", true), ("eq", "[2]", "[[1],[2]]", true), ("eq", "2", "[[1],[2]]", true),
      ("ne", "[2]", "[[1],[2]]", false), ("in", "[[2]]", "[[1],[2]]", true),
      ("eq", "{\"k\":[1]}", "[{\"k\":[1]}]", true),
      ("eq", "null", "[1,null]", true), ("ne", "null", "[1,null]", false), ("ne", "null", "[1]", true),
      ("exists", "false", "[null]", false), ("exists", "true", "[]", true), ("not_in", "[null]", "[null]", true),
      ("gt", "4", "[1,5]", true), ("regex", "\"^a\"", #"["ba","ab"]"#, true),
      ("starts_with", "\"a\"", #"[["ab"]]"#, true),
      ("ends_with", "\"b\"", #"["ab"]"#, true), ("cidr", "\"10.0.0.0/8\"", #"["::1","10.0.0.1"]"#, true),
    ])
  func arrays(name: String, value: String, array: String, expected: Bool) throws {
    #expect(try holds(name, value, #"{"f":\#(array)}"#) == expected)
  }

  @Test("contains is a substring of a string and an element of an array")
  func containment() throws {
    #expect(try holds("contains", "\"dmi\"", #"{"f":"admin"}"#))
    #expect(try !holds("contains", "\"dmi\"", #"{"f":["admin"]}"#))
    #expect(try holds("contains", "\"admin\"", #"{"f":["ops","admin"]}"#))
    #expect(try holds("contains", "5", #"{"f":[1,5.0]}"#))
    #expect(try !holds("contains", "5", #"{"f":5}"#))
    #expect(try !holds("contains", "5", #"{"f":"5"}"#))
    #expect(
      try holds(#"{"field":"f.tag","operator":"contains","value":"dmi"}"#, #"{"f":[{"tag":"x"},{"tag":"admin"}]}"#))
  }

  @Test(
    "Numbers of any size compare exactly",
    arguments: [
      ("eq", "9007199254740993", "9007199254740992", false), ("gt", "9007199254740992", "9007199254740993", true),
      ("eq", "1\(String(repeating: "0", count: 399))", "1e399", true),
      ("lt", "1\(String(repeating: "0", count: 399))", String(repeating: "9", count: 399), true),
      ("gt", "-1\(String(repeating: "0", count: 399))", "-\(String(repeating: "9", count: 399))", true),
      ("in", "[0.10]", "1e-1", true), ("lt", "1e-399", "0", true), ("gt", "-1e-399", "0", true),
      ("lte", "-0", "0.0", true),
      ("gte", "10", "\"10.0\"", true), ("gt", "9", "\"+010\"", true), ("gt", "\"9\"", "10", true),
      ("gt", "\"9\"", "\"10\"", false), ("lt", "5", "\" 4\"", false), ("eq", "5", "\"5\"", false),
      ("lt", "2", "true", false),
    ])
  func numbers(name: String, value: String, found: String, expected: Bool) throws {
    #expect(try holds(name, value, #"{"f":\#(found)}"#) == expected)
  }

  @Test(
    "The last of equal keys wins, and nothing of the earlier ones is left",
    arguments: [
      (#"{"a":{"b":1},"a":{"b":2}}"#, "2"), (#"{"a":{"b":1},"\u0061":{"b":2}}"#, "2"),
      (#"{"a":{"b":2,"c":0},"a":{}}"#, ""),
      (#"{"a":{"b":2},"a":5}"#, ""), (#"{"a":{"b":1,"b":2}}"#, "2"), (#"{"a":[{"b":1},{"b":2,"b":3}]}"#, "1,3"),
      (#"{"a.b":1,"a":{"b":2},"a.b":3}"#, "2,3"), (#"{"a.b":1,"a":{"b":2},"a":{"b":3}}"#, "1,3"),
      (#"{"a":[{"b":1}],"a":null,"a.b":4}"#, "4"), (#"{"a":{"b":1},"a":{"b":2},"a":{"b":3}}"#, "3"),
    ])
  func duplicateKeys(event: String, values: String) throws {
    let matcher = Matcher(
      try (1...4).map { try expression(#"{"field":"a.b","operator":"eq","value":\#($0)}"#) }
        + [try expression(#"{"field":"a.b","operator":"exists","value":true}"#)])
    let expected = values.split(separator: ",").compactMap { Int($0) }.map { $0 - 1 } + (values.isEmpty ? [] : [4])
    #expect(try matcher.match(Array(event.utf8).span) == expected)
  }

  @Test("Lone surrogates are U+FFFD, pairs are one character, and NUL is a character like any other")
  func escapes() throws {
    #expect(try holds("eq", "\"\u{FFFD}x\"", #"{"f":"\ud800x"}"#))
    #expect(try holds("eq", "\"\u{FFFD}\u{FFFD}\"", #"{"f":"\udc00\ud800"}"#))
    #expect(try holds("regex", "\"^.$\"", #"{"f":"\ud83d\ude00"}"#))
    #expect(try holds("eq", #""a\u0000b""#, #"{"f":"a\u0000b"}"#))
    #expect(try !holds("eq", "\"a\"", #"{"f":"a\u0000"}"#))
    #expect(try holds("contains", #""\u0000""#, #"{"f":"x\u0000y"}"#))
    #expect(try holds("regex", #""\\x00y$""#, #"{"f":"x\u0000y"}"#))
  }

  @Test("A substring is found wherever it stands, also where its beginning repeats")
  func needles() {
    let texts = ["", "a", "aa", "ab", "aab", "aabaab", "aabaac", "abab", "é", "aaaaaaab", "baab"]
    for needle in texts {
      for text in texts.flatMap({ left in texts.map { left + $0 } }) {
        let expected = needle.isEmpty || text.indices.contains { text[$0...].hasPrefix(needle) }
        let found = Array(text.utf8).withUnsafeBufferPointer { Needle(needle, false).isPart(of: $0) }
        #expect(found == expected, "\(needle) in \(text)")
      }
    }
  }

  @Test("Conditions that are not alike are kept apart, however alike their values are spelled")
  func likeness() throws {
    let lists = [
      "[[1,2]]", "[1,2]", #"["1","2"]"#, #"["1,2"]"#, #"["1\u0000","2"]"#, #"["1\u00002"]"#, #"["[1,2]"]"#, "[1]",
      #"["1"]"#, "[[1],[2]]",
    ]
    let matcher = Matcher(try lists.map { try expression(#"{"field":"f","operator":"in","value":\#($0)}"#) })
    for (number, list) in lists.enumerated() {
      let alone = Matcher([try expression(#"{"field":"f","operator":"in","value":\#(list)}"#)])
      for value in lists + lists.map({ String($0.dropFirst().dropLast()) }).filter({ !$0.contains(",") }) {
        let event = Array(#"{"f":\#(value)}"#.utf8)
        #expect(try matcher.match(event.span).contains(number) == !alone.match(event.span).isEmpty, "\(list) \(value)")
      }
    }
  }

  @Test("Every expression that holds is told once, in order, whatever brings it up")
  func order() throws {
    let matcher = Matcher([
      .all([]), .never, .any([]), .not(.never),
      try expression(#"{"field":"a","operator":"in","value":[1,1.0,"x",1]}"#),
      try expression(#"{"field":"a","operator":"ne","value":2}"#),
      try expression(#"{"field":"b","operator":"exists","value":false}"#),
      try expression(
        #"""
        {"conditions":[{"field":"a","operator":"gt","value":0},{"field":"a","operator":"eq","value":1},
          {"field":"a","operator":"lt","value":2}],"group_operator":"OR"}
        """#),
    ])
    #expect(try matcher.match(Array(#"{"a":[1,1]}"#.utf8).span) == [0, 3, 4, 5, 6, 7])
    #expect(try matcher.match(Array(#"{"b":1}"#.utf8).span) == [0, 3])
    #expect(try Matcher([]).match(Array("{}".utf8).span).isEmpty)
  }
}
