import JSON
import Testing

@testable import Matching

@Suite("The syntax of events") struct EventSyntaxTests {
  private let matcher: Matcher

  init() throws { matcher = Matcher([try expression(#"{"field":"a","operator":"exists","value":true}"#)]) }

  private func match(_ event: some Collection<UInt8>) throws -> [Int] {
    try matcher.match(Array(event).span)
  }

  private func error(of event: some Collection<UInt8>) throws -> JSONSyntaxError {
    try #require(throws: JSONSyntaxError.self) { try match(event) }
  }

  @Test(
    "What is not a JSON object is refused with the byte where it goes wrong",
    arguments: [
      ("", 0, "expected an object"), (" ", 1, "expected an object"), ("[]", 0, "expected an object"),
      ("\"a\"", 0, "expected an object"), ("\u{FEFF}{}", 0, "expected an object"),
      ("{", 1, "expected a key in double quotes"), ("{\"a\"", 4, "expected ':' behind the key"),
      ("{\"a\":", 5, "expected a value, found the end"), ("{\"a\":1", 6, "expected ',' or '}'"),
      ("{\"a\":1,", 7, "expected a key in double quotes"), ("{\"a\":1,}", 7, "expected a key in double quotes"),
      ("{a:1}", 1, "expected a key in double quotes"), ("{'a':1}", 1, "expected a key in double quotes"),
      ("{\"a\" 1}", 5, "expected ':' behind the key"), ("{\"a\":1 \"b\":2}", 7, "expected ',' or '}'"),
      ("{\"x\":[1,]}", 8, "expected a value"), ("{\"x\":[1 2]}", 8, "expected ',' or ']'"),
      ("{\"x\":[1", 7, "expected ',' or ']'"), ("{\"x\":[}", 6, "expected a value"),
      ("{\"x\":]}", 5, "expected a value"), ("{} x", 3, "unexpected text behind the JSON value"),
      ("{}{}", 2, "unexpected text behind the JSON value"), ("{}\0", 2, "unexpected text behind the JSON value"),
      ("{\"x\":tru}", 5, "expected a value"), ("{\"x\":nul", 5, "expected a value"),
      ("{\"x\":True}", 5, "expected a value"), ("{\"x\":truefalse}", 9, "expected ',' or '}'"),
      ("{\"x\":NaN}", 5, "expected a value"), ("{\"x\":Infinity}", 5, "expected a value"),
      ("{\"x\":/*c*/1}", 5, "expected a value"), ("{\"x\":\u{A0}1}", 5, "expected a value"),
      ("{\"x\":\u{B}1}", 5, "expected a value"), ("{\"x\":\0}", 5, "expected a value"),
    ])
  func refused(text: String, offset: Int, reason: String) throws {
    #expect(try error(of: text.utf8) == JSONSyntaxError(offset: offset, reason: reason))
  }

  @Test(
    "A malformed number is refused where it begins",
    arguments: [
      "01", "-", "-x", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x10", "1.2.3", "1-2", "00", "-01", "1e1.5", "1_0",
    ])
  func malformedNumbers(number: String) throws {
    let found = try error(of: "{\"x\":[\(number)]}".utf8)
    #expect(found.offset == 6 || number.hasPrefix("0x") || number.contains("_"), "\(found)")
    #expect((6..<6 + number.utf8.count).contains(found.offset))
  }

  @Test(
    "A malformed string is refused at the byte that is wrong",
    arguments: [
      ([0x61, 0x0A, 0x22], 7, "control character"), ([0x61, 0x1F, 0x22], 7, "control character"),
      ([0x5C, 0x78, 0x22], 6, "unknown escape"), (Array(#"ab\u12g4""#.utf8), 8, "four hexadecimal digits"),
      (Array(#"ab\u12""#.utf8), 8, "four hexadecimal digits"), (Array("abcdefghijklmnop".utf8), 5, "no closing quote"),
      (Array(#"abc\""#.utf8), 5, "no closing quote"), ([0x61, 0x5C], 7, "cut off"),
      ([0x61, 0x80, 0x22], 7, "UTF-8"), ([0x61, 0xFF, 0x22], 7, "UTF-8"), ([0xC0, 0x80, 0x22], 6, "UTF-8"),
      ([0xC1, 0xBF, 0x22], 6, "UTF-8"), ([0xE0, 0x9F, 0xBF, 0x22], 6, "UTF-8"),
      ([0xED, 0xA0, 0x80, 0x22], 6, "UTF-8"), ([0xF0, 0x8F, 0xBF, 0xBF, 0x22], 6, "UTF-8"),
      ([0xF4, 0x90, 0x80, 0x80, 0x22], 6, "UTF-8"), ([0xF5, 0x80, 0x80, 0x80, 0x22], 6, "UTF-8"),
      ([0xC3, 0xA9, 0xE2, 0x82, 0x22], 8, "UTF-8"), ([0xC3, 0xA9, 0xE2, 0x82], 8, "UTF-8"),
    ] as [([UInt8], Int, String)])
  func malformedStrings(behindQuote: [UInt8], offset: Int, reason: String) throws {
    let found = try error(of: Array("{\"x\":\"".utf8) + behindQuote)
    #expect(found.offset == offset)
    #expect(found.reason.contains(reason), "\(found)")
  }

  @Test("128 levels of nesting are read, one more is refused, and so are 10,000")
  func depth() throws {
    func nested(_ depth: Int) -> String {
      "{\"a\":" + String(repeating: "[", count: depth - 1) + String(repeating: "]", count: depth - 1) + "}"
    }
    #expect(try match(nested(128).utf8) == [0])
    #expect(try error(of: nested(129).utf8) == JSONSyntaxError(offset: 132, reason: "nested more than 128 deep"))
    #expect(try error(of: nested(10_000).utf8).offset == 132)
    #expect(try error(of: String(repeating: "{\"a\":", count: 10_000).utf8).offset == 5 * 128)
  }

  @Test("Every byte of valid text is accepted: lone surrogates, NUL, white space, the last code point")
  func accepted() throws {
    for text in [
      #"{"a":"\ud800"}"#, #"{"a":"\udc00\ud800x"}"#, #"{"a":"\u0000"}"#, #"{"\ud800":1,"a":1}"#,
      "{\"a\":\"\u{7F}\u{10FFFF}é€\"}",
      " \t\r\n{ \"a\" : [ ] } \n", #"{"a":"\"\\\/\b\f\n\r\t"}"#, #"{"a":-0e-0}"#,
      "{\"a\":" + String(repeating: "7", count: 400) + "}", "{\"a\":1e\(String(repeating: "9", count: 400))}",
    ] { #expect(try match(text.utf8) == [0], "\(text)") }
  }

  @Test("No byte outside of the event is read, wherever it stands in a larger body")
  func sliceOfABody() throws {
    let event = #"{"a":"x","b":[1,2.5e1,true,null,"abcdefg"]}"#
    for lead in 0..<9 {
      let body = Array(repeating: UInt8(ascii: "\\"), count: lead) + Array(event.utf8) + Array("\"}]9e".utf8)
      #expect(try matcher.match(body.span.extracting(lead..<lead + event.utf8.count)) == [0])
      for cut in 1..<event.utf8.count {
        let error = try #require(throws: JSONSyntaxError.self) {
          try matcher.match(body.span.extracting(lead..<lead + event.utf8.count - cut))
        }
        #expect(error.offset <= event.utf8.count - cut)
      }
    }
  }

  @Test("A matcher that has refused an event reads the next as if nothing had been")
  func afterAnError() throws {
    #expect(throws: JSONSyntaxError.self) { try matcher.match(Array(#"{"a":1,"a":2,}"#.utf8).span) }
    #expect(try matcher.match(Array(#"{"b":1}"#.utf8).span) == [])
    #expect(try matcher.match(Array(#"{"a":1}"#.utf8).span) == [0])
  }
}
