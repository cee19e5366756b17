import JSON
import Testing

@testable import Matching

/// The grammar of RFC 8259, section by section, for both readers of JSON: that of documents and that of events.
@Suite("JSON by RFC 8259") struct ConformanceTests {
  private let matcher: Matcher

  init() throws { matcher = Matcher([try expression(#"{"field":"x.y","operator":"eq","value":1}"#)]) }

  /// What both say of a text; the event has it as the value of one key, where a field is wanted or not.
  private func errors(in text: [UInt8], _ behind: String = "}") throws -> [JSONSyntaxError?] {
    func error(_ read: () throws -> Void) throws -> JSONSyntaxError? {
      do { try read() } catch let error as JSONSyntaxError { return error }
      return nil
    }
    return try [error { _ = try JSONValue(parsing: text) }]
      + ["x", "other"].map { key in
        let before = Array("{\"\(key)\":".utf8)
        let found = try error { _ = try matcher.match((before + text + Array(behind.utf8)).span) }
        return found.map { JSONSyntaxError(offset: $0.offset - before.count, reason: $0.reason) }
      }
  }

  @Test(
    "What the grammar allows is accepted",
    arguments: [
      // 2 and 3: white space around every token, and any value at the top
      "\t\n\r 1\t\n\r ", " { \"a\"\t:\r[\n1 , 2 ] } ", "null", "true", "false", "\"\"", "[]", "{}", "0",
      // 4: keys may be empty, equal, escaped, long
      "{\"\":{\"\":{}}}", "{\"a\":1,\"a\":2}", "{\"\\u0061\":1,\"a\":2}",
      "{\"\(String(repeating: "k", count: 70_000))\":0}",
      // 5: elements of any kind
      "[[],{},\"\",0,null,true,false]", "[\(String(repeating: "0,", count: 70_000))0]",
      // 6: signs, fractions, exponents, any size
      "-0", "-0.0", "10", "0.10", "1e5", "1E+05", "0e-0", "123456789012345678901234567890", "1e400", "-1e-400",
      "0.\(String(repeating: "0", count: 1000))1", "1\(String(repeating: "0", count: 1000))",
      // 7: every escape, halves of surrogate pairs among them; what need not be escaped, DEL and U+2028 too
      #""\"\\\/\b\f\n\r\t\u0000\u001f\u00E9\uD834\udd1E""#, #""\ud800""#, #""\udc00\ud800""#, #""\ud800\u0061""#,
      #""\ud800\n""#, #"{"\ud800":0}"#, "\"\u{7F}/'\u{2028}\"",
      // 8: every length of UTF-8 at its ends, a noncharacter too
      "\"\u{80}\u{7FF}\u{800}\u{D7FF}\u{E000}\u{FFFF}\u{10000}\u{10FFFF}\"",
    ])
  func accepted(text: String) throws { #expect(try errors(in: Array(text.utf8)) == [nil, nil, nil]) }

  @Test(
    "What the grammar does not allow is refused by both readers at the same byte",
    arguments: [
      // 2: structure
      ("", 0), (" ", 1), ("\u{FEFF}1", 0), ("1 1", 2), ("\u{C}1", 0), ("\u{A0}1", 0), ("\u{2028}1", 0), ("//\n1", 0),
      ("1/**/", 1), ("1\0", 1), ("#1", 0), ("]", 0), (":", 0), (",", 0), ("*", 0), ("\\", 0), ("\\n", 0), ("\\\"\"", 0),
      // 3: literals
      ("True", 0), ("tru", 0), ("nul", 0), ("nulL", 0), ("nan", 0), ("NaN", 0), ("-Infinity", 0), ("undefined", 0),
      ("truth", 0), ("truee", 4), ("null0", 4), ("false\"\"", 5),
      // 4: objects
      ("{", 1), ("{,", 1), ("{]", 1), ("{1:1}", 1), ("{a:1}", 1), ("{'a':1}", 1), ("{null:1}", 1), ("{\"a\"", 4),
      ("{\"a\"}", 4), ("{\"a\",1}", 4), ("{\"a\"::1}", 5), ("{\"a\":}", 5), ("{\"a\":,}", 5), ("{\"a\":1", 6),
      ("{\"a\":1,}", 7), ("{\"a\":1,,\"b\":2}", 7), ("{\"a\":1;\"b\":2}", 6), ("{\"a\":1 \"b\":2}", 7),
      ("{\"a\":1]", 6),
      ("{\"a\":1:2}", 6), ("{\"a\" \"b\"}", 5), ("{\"a\":{\"b\":1}", 12), ("{\"a\":\"b\"\"c\"}", 8),
      // 5: arrays
      ("[", 1), ("[,", 1), ("[}", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("[1,,2]", 3), ("[1 2]", 3),
      ("[1}", 2), ("[\"a\":1]", 4), ("[[]", 3), ("[]]", 2), ("[1;2]", 2), ("[\"\"\"\"]", 3), ("[\"a", 1),
      // 6: numbers
      ("+1", 0), ("-", 0), ("--1", 0), ("- 1", 0), (".5", 0), ("-.5", 0), ("1.", 0), ("1.e1", 0), ("1e", 0), ("1e+", 0),
      ("1e-", 0), ("1ee1", 0), ("1e1.5", 0), ("1e+-1", 0), ("01", 0), ("-01", 0), ("00", 0), ("1.2.3", 0), ("1-2", 0),
      ("1+2", 0), ("0x1", 1), ("1_000", 1), ("1a", 1), ("1\"\"", 1), ("\u{FF11}", 0), ("1\u{E9}", 1),
      // 7: strings
      ("\"", 0), ("\"a", 0), ("\"\\\"", 0), ("\"\\", 1), ("\"\\\\\\\"", 0), ("'a'", 0), ("\"\n\"", 1), ("\"a\0\"", 2),
      ("\"\t\"", 1), ("\"\u{1F}", 1), ("\"\\a\"", 1), ("\"\\'\"", 1), ("\"\\0\"", 1), ("\"\\x41\"", 1),
      ("\"\\U0041\"", 1),
      ("\"\\\n\"", 1), ("\"\\\u{E9}\"", 1), ("\"\\u\"", 1), ("\"\\u00\"", 1), ("\"\\u00g0\"", 1), ("\"\\u+041\"", 1),
      ("\"\\u004", 1), ("\"\\ud800\\u\"", 7), ("\"\\ud800\\udc0\"", 7), ("\"\\ud800\\x\"", 7), ("{\"\\x\":1}", 2),
      ("\"\\u\u{FF11}\u{FF11}\u{FF11}\u{FF11}\"", 1), ("\"a\\", 2),
    ] as [(String, Int)])
  func refused(text: String, offset: Int) throws {
    #expect(try errors(in: Array(text.utf8), "").map { $0?.offset } == [offset, offset, offset])
  }

  @Test(
    "A string that is not UTF-8 is refused at the first byte that belongs to no character",
    arguments: [
      [0x80], [0xBF], [0xC0, 0x80], [0xC1, 0xBF], [0xC3], [0xC3, 0x28], [0xE0, 0x9F, 0xBF], [0xE2, 0x82],
      [0xE2, 0x28, 0xAC],
      [0xE2, 0x82, 0x28], [0xED, 0xA0, 0x80], [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98],
      [0xF0, 0x9F, 0x28, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xF8, 0x88, 0x80, 0x80, 0x80],
      [0xFE],
      [0xFF],
    ] as [[UInt8]])
  func notUTF8(bytes: [UInt8]) throws {
    for before in ["", "a", "é😀", "\\n", String(repeating: "a", count: 100)] {
      let text = Array("[\"\(before)".utf8)
      for behind in ["\"]", "", "\n", "\\x"] {
        let error = JSONSyntaxError(offset: text.count, reason: "invalid UTF-8")
        #expect(try errors(in: text + bytes + Array(behind.utf8)) == [error, error, error])
      }
    }
  }

  @Test("UTF-16 and UTF-32 are refused at the first byte that is no JSON", arguments: [1, 3])
  func wideEncodings(zeros: Int) throws {
    let bytes = "[\"a\"]".utf8.flatMap { [$0] + Array(repeating: UInt8(0), count: zeros) }
    #expect(try errors(in: bytes).map { $0?.offset } == [1, 1, 1])
    #expect(try errors(in: bytes.reversed()).map { $0?.offset } == [0, 0, 0])
    #expect(try errors(in: [0xFF, 0xFE] + bytes).map { $0?.offset } == [0, 0, 0])
  }

  @Test("Arrays and objects nest 128 deep, and the first that is deeper is refused")
  func depth() throws {
    func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
      Array((String(repeating: open, count: depth) + "0" + String(repeating: close, count: depth)).utf8)
    }
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[1,\"\",", "]"), ("{\"x\":null,\"y\":", "}")] {
      #expect(throws: Never.self) { try JSONValue(parsing: nested(128, open, close)) }
      // The event around it is one level of its own.
      #expect(try errors(in: nested(127, open, close)) == [nil, nil, nil])
      let offset = open.utf8.count * 127
      #expect(try errors(in: nested(128, open, close)).dropFirst().map { $0?.offset } == [offset, offset])
      #expect(try errors(in: nested(129, open, close))[0]?.offset == offset + open.utf8.count)
    }
  }

  @Test("A number keeps its value, whatever its size, and an escape becomes its character")
  func values() throws {
    let text = #"{"x":[18446744073709551616.0,"\ud834\udd1e\ud800a\u0000"]}"#
    for rule in [
      #"{"field":"x","operator":"eq","value":18446744073709551616}"#,
      #"{"field":"x","operator":"eq","value":"\#u{1D11E}\#u{FFFD}a\u0000"}"#,
    ] { #expect(try Matcher.holds(expression(rule), for: text.utf8)) }
    #expect(
      try !Matcher.holds(expression(#"{"field":"x","operator":"eq","value":18446744073709551617}"#), for: text.utf8))
  }
}
