import JSON

@testable import Matching

/// Random rules and events over so small a vocabulary that many of them match.
struct RandomCases {
  private var state: UInt64

  /// The same seed makes the same cases.
  init(seed: UInt64) { state = seed }

  private static let keys = ["a", "b", "a.b", "b.a", "", "A", ".", "a.", "b.a.b"]
  private static let fields = ["a", "b", "a.b", "b.a", "a.b.a", "a.", ".a", "b.a.b", "A", "..", "a..b"]
  private static let texts = [
    "", "a", "A", "ab", "AB", "ba", "aab", "abab", "BaBa", "aba", "bb", "ß", "ẞa", "é", "É", "e\u{301}", "😀", "σ", "ς",
    "Σa", "ſ", "s", "S", "K", "k\u{212A}", "İ", "i", "5", "05", "+5", "-1", "1e1", "5.", " 5", "٣", "\0", "a\n",
    "10.0.0.1", "10.0.0.2", "10.0.1.1", "10.1.2.3", "11.0.0.0", "::ffff:10.0.0.9", "2001:db8::1", "2001:db8::2",
    "2001:db8:0:1::", "true", "null", "\u{FFFD}",
  ]
  private static let numbers = [
    "0", "-0.0", "1", "1.0", "10e-1", "-1", "5", "5.5", "10", "3", "9007199254740992", "9007199254740993",
    "9007199254740993.0",
    "1E400", "-1e400", "0.1", "1e-400", "123456789012345678901234567890", "100e28",
  ]
  private static let networks = [
    "10.0.0.0/16", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.0/31", "10.0.0.1", "10.0.0.1/9", "0.0.0.0/0",
    "::ffff:10.0.0.0/100", "2001:db8::/32", "2001:db8::/64", "2001:db8::/127", "2001:db8::1/127", "::/0",
  ]

  /// A number from 0 up to a bound.
  mutating func below(_ bound: Int) -> Int {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return Int((word ^ word >> 31) % UInt64(bound))
  }

  /// One of some elements.
  mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

  private mutating func list(_ bound: Int, _ make: (inout RandomCases) -> String) -> String {
    (0..<below(bound)).map { _ in make(&self) }.joined(separator: pick([",", ", ", "\n,\t"]))
  }

  private mutating func string(_ text: String) -> String {
    var quoted = "\""
    for unit in text.utf16 {
      let isPlain = (0x20..<0x80).contains(unit) && unit != 0x22 && unit != 0x5C
      let hex = String(unit, radix: 16)
      quoted +=
        isPlain && below(8) > 0
        ? "\(Unicode.Scalar(UInt8(unit)))" : "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
    }
    return below(2) == 0 ? quoted + "\"" : String(decoding: JSONValue.string(text).json, as: UTF8.self)
  }

  /// A word of the vocabulary, or some of them together, so that words stand in words.
  mutating func text() -> String {
    below(3) > 0 ? pick(Self.texts) : (0...below(4)).map { _ in pick(Self.texts) }.joined()
  }

  private mutating func value(depth: Int) -> String {
    switch below(depth > 0 ? 14 : 10) {
    case 0: "null"
    case 1: pick(["true", "false"])
    case 2, 3, 4: pick(Self.numbers)
    case 5...9: string(text())
    case 10, 11: "[" + list(4) { $0.value(depth: depth - 1) } + "]"
    default: object(depth: depth - 1)
    }
  }

  private mutating func object(depth: Int) -> String {
    "{" + list(5) { $0.string($0.pick(Self.keys)) + $0.pick([":", " : "]) + $0.value(depth: depth) } + "}"
  }

  /// The text of an event: nested, with keys that have dots, that are escaped and that come twice.
  mutating func event() -> String {
    pick(["", " ", "\n"]) + "{" + list(7) { $0.string($0.pick(Self.keys)) + ":" + $0.value(depth: 4) } + "}"
  }

  /// The text of a simple or compound rule.
  mutating func rule(depth: Int = 3) -> String {
    guard depth > 0, below(3) == 0 else { return condition() }
    let name = pick(["AND", "OR", "NOT"])
    let parts = (0..<(name == "NOT" ? 1 : 1 + below(3))).map { _ in rule(depth: depth - 1) }
    return #"{"conditions":[\#(parts.joined(separator: ","))],"group_operator":"\#(name)"}"#
  }

  /// A pattern in which literals stand among all that may make them optional, change their case or end them.
  mutating func pattern(depth: Int) -> String {
    let parts = (0...below(4)).map { _ -> String in
      var part =
        switch below(depth > 0 ? 12 : 9) {
        case 0...3: pick(["a", "b", "ab", "B", "é", "ß", "σ", "s", "k", "i", "-", "5", "0", "{", "{01}", "a{,2}"])
        case 4: #"\Q"# + pick(["ab", ".", "a.b", "(", "[a", "|"]) + #"\E"#
        case 5: pick(["[ab]", "[^a]", "[]a]", "[[:alpha:]b]", #"[\]a]"#, "[[a]", #"[\d.]"#, "[^]]"])
        case 6: pick([".", "^", "$", #"\b"#, #"\pL"#, #"\p{Greek}"#, #"\PL"#, #"\d"#, #"\W"#, #"\C"#])
        case 7: pick([#"\x61"#, #"\x{E9}"#, #"\141"#, #"\60"#, #"\."#, #"\|"#, #"\("#, #"\n"#, #"\-"#])
        case 8: pick(["(?i)", "(?s)", "(?-i)"])
        case 9: "(" + pattern(depth: depth - 1) + ")"
        case 10: pick(["(?:", "(?i:", "(?P<n\(depth)\(below(1 << 30))>"]) + pattern(depth: depth - 1) + ")"
        default: "(?:" + pattern(depth: depth - 1) + "|" + pattern(depth: depth - 1) + ")"
        }
      if part.last != "^", !part.hasPrefix("(?s)"), !part.hasPrefix("(?i)"), !part.hasPrefix("(?-i)"), below(3) == 0 {
        part += pick(["*", "+", "?", "*?", "??", "{0}", "{1}", "{2,}", "{0,2}", "{1,2}?"])
      }
      return part
    }
    return (below(4) == 0 ? pick(["^", "(?i)"]) : "") + parts.joined(separator: below(8) == 0 ? "|" : "")
  }

  private mutating func condition() -> String {
    let name = pick(Operator.allCases)
    let value =
      switch name {
      case .eq, .ne, .contains, .gt, .gte, .lt, .lte: self.value(depth: 2)
      case .in, .notIn: "[" + list(5) { $0.value(depth: 1) } + "]"
      case .regex: string(pattern(depth: 2))
      case .startsWith, .endsWith: string(text())
      case .exists: pick(["true", "false"])
      case .cidr: pick([string(pick(Self.networks)), "[" + string(pick(Self.networks)) + #","10.0.0.0/30"]"#])
      }
    return """
      {"field":\(string(pick(Self.fields))),"operator":"\(name.rawValue)","value":\(value),"case_sensitive":\(pick([true, false]))}
      """
  }
}
