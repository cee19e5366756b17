import JSON
import Testing

@testable import Matching

@Suite("Conditions answered together") struct IndexTests {
  /// All words of up to so many of the letters.
  private static func words(_ letters: [String], upTo count: Int) -> [String] {
    count == 0 ? [""] : [""] + letters.flatMap { letter in words(letters, upTo: count - 1).map { letter + $0 } }
  }

  private func condition(_ name: String, _ value: JSONValue, isCaseSensitive: Bool = true) throws -> Expression {
    try Expression(
      json: ["field": "f", "operator": .string(name), "value": value, "case_sensitive": .bool(isCaseSensitive)])
  }

  private func matches(_ matcher: Matcher, _ value: JSONValue) throws -> [Int] {
    try matcher.match((["f": value] as JSONValue).json.span)
  }

  @Test(
    "Every one of many texts is found where it stands, at the beginning, at the end and anywhere",
    arguments: [true, false])
  func texts(isCaseSensitive: Bool) throws {
    let words = Self.words(["a", "B", "é"], upTo: 4)
    let names = ["contains", "starts_with", "ends_with"]
    let expressions = try names.flatMap { name in
      try words.map { try condition(name, .string($0), isCaseSensitive: isCaseSensitive) }
    }
    let matcher = Matcher(expressions)
    for text in ["", "a", "éaBBa", "aBÉaéB", "bbbbbab", "cBc", "aBéaBéaBcaBéa", "日a\u{1F600}é", "\u{C3}a"] {
      let found = try matches(matcher, .string(text))
      let fold = { (text: String) in Array((isCaseSensitive ? text : CaseFolding.folded(text)).utf8) }
      let whole = fold(text)
      let expected = names.enumerated().flatMap { number, name in
        words.indices.filter { index in
          let word = fold(words[index])
          let starts = (0...max(whole.count - word.count, 0)).filter { whole[$0...].starts(with: word) }
          return switch name {
          case "contains": !starts.isEmpty
          case "starts_with": starts.contains(0)
          default: starts.contains(whole.count - word.count)
          }
        }.map { $0 + number * words.count }
      }
      #expect(found == expected, "\(text)")
    }
  }

  @Test("A substring counts in a string, and not in an element, in whatever order they come")
  func elements() throws {
    let matcher = Matcher([
      try condition("contains", "ab"), try condition("regex", "ab+$"), try condition("contains", "b"),
      try condition("regex", "^x.*(ab|cd).*efg"), try condition("ends_with", "b"),
    ])
    #expect(try matches(matcher, ["xab"]) == [1, 4])
    #expect(try matches(matcher, "xab") == [0, 1, 2, 4])
    for texts in [#"{"g":["xab"]},{"g":"ab"}"#, #"{"g":"ab"},{"g":["xab"]}"#] {
      let nested = Matcher([
        try expression(#"{"field":"f.g","operator":"contains","value":"ab"}"#),
        try expression(#"{"field":"f.g","operator":"regex","value":"xab"}"#),
      ])
      #expect(try nested.match(Array(#"{"f":[\#(texts)]}"#.utf8).span) == [0, 1])
    }
    #expect(try matches(matcher, ["xefg", "ab"]) == [0, 1, 4])
    #expect(try matches(matcher, ["xcdefg"]) == [3])
    #expect(try matches(matcher, ["xcd", "efg"]) == [])
  }

  @Test("Every one of many bounds admits what is on its side of it, numbers and texts")
  func bounds() throws {
    let numbers = (-6...6).flatMap { ["\($0)", "\($0).5"] } + ["1e30", "-1e30", "0.0"]
    let names = ["gt", "gte", "lt", "lte"]
    let bounds: [JSONValue] = try numbers.flatMap { [try JSONValue(parsing: $0.utf8), .string($0)] } + ["", "A", "a"]
    let expressions = try names.flatMap { name in try bounds.map { try condition(name, $0, isCaseSensitive: false) } }
    let matcher = Matcher(expressions)
    for value in bounds + ["x", "B", true, .null, ["0", 7], ["f": 1]] {
      let event: JSONValue = ["f": value]
      let expected = expressions.indices.filter { Oracle.holds(expressions[$0], for: event) }
      #expect(try matches(matcher, value) == expected, "\(value)")
    }
  }

  @Test("Every one of many networks has the addresses that share its bits, however they are nested")
  func networks() throws {
    let lengths = [0, 1, 7, 8, 9, 15, 16, 17, 24, 31, 32]
    let texts =
      lengths.flatMap { length in ["10.1.2.3/\(length)", "10.1.130.3/\(length)", "192.0.2.1/\(length)"] }
      + [0, 1, 32, 33, 63, 64, 65, 127, 128].flatMap { ["2001:db8::1/\($0)", "2001:db8:0:1::/\($0)"] }
      + ["::ffff:10.1.0.0/112", "::/96"]
    let expressions = try texts.map { try condition("cidr", .string($0)) } + [condition("cidr", ["::1", "10.1.2.3"])]
    let matcher = Matcher(expressions)
    for address in [
      "10.1.2.3", "10.1.2.2", "10.1.130.3", "10.1.3.0", "10.0.0.0", "192.0.2.1", "255.255.255.255", "0.0.0.0", "::1",
      "::ffff:10.1.2.3", "2001:db8::1", "2001:db8::", "2001:db8:0:1::", "2001:db8:8000::", "fe80::1%eth0", "10.1.2",
      "::x",
    ] {
      let event: JSONValue = ["f": .string(address)]
      let expected = expressions.indices.filter { Oracle.holds(expressions[$0], for: event) }
      #expect(try matches(matcher, .string(address)) == expected, "\(address)")
    }
  }

  @Test("Every one of many patterns without literals matches what it matches alone", arguments: [true, false])
  func patterns(isCaseSensitive: Bool) throws {
    let texts =
      (0..<26).map { letter in "^[\(Unicode.Scalar(UInt8(97 + letter)))x]+$" }
      + ["^$", "^\\PL", "[^a-z]$", "\\d{3}", "[ab]|[cd]", "(?i)^[kK]", ".", "[[:upper:]]", "^.{3}$", "\\bz?\\b"]
    let expressions = try texts.map { try condition("regex", .string($0), isCaseSensitive: isCaseSensitive) }
    let matcher = Matcher(expressions)
    for value in ["", "a", "AX", "xxxx", "k\u{212A}", "z z", "12345", "É", "dé\u{1F600}", ["q", "Q1", 5], 5]
      as [JSONValue]
    {
      let event: JSONValue = ["f": value]
      let expected = expressions.indices.filter { Oracle.holds(expressions[$0], for: event) }
      #expect(try matches(matcher, value) == expected, "\(value)")
    }
  }

  @Test("Patterns that take more memory together than they may are searched for all the same")
  func largePatterns() throws {
    let texts = (0..<60).map { "^[^\($0 % 10)x]{\(900 + $0)}[xyz]" }
    let patterns = try texts.map { try Pattern($0, isCaseSensitive: true) }
    #expect(PatternSet(patterns) == nil)
    #expect(PatternSet(Array(patterns[..<3])) != nil)
    let matcher = Matcher(try texts.map { try condition("regex", .string($0)) })
    #expect(try matches(matcher, .string(String(repeating: "é", count: 907) + "y")) == [7])
    #expect(try matches(matcher, .string("8" + String(repeating: "é", count: 907) + "y")) == [])
    #expect(try matches(matcher, .string("7" + String(repeating: "é", count: 907) + "y")) == [8])
  }
}
