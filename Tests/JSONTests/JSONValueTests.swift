import JSON
import Testing

@Suite("JSON values") struct JSONValueTests {
  @Test("Null is nothing, and everything else is something")
  func unlessNull() {
    #expect(JSONValue.null.unlessNull == Optional.none)
    #expect(JSONValue.bool(false).unlessNull == .some(false))
  }

  @Test("A number compares by its exact value, however it is written")
  func numbersCompareExactly() throws {
    let one = try #require(JSONNumber("1"))
    #expect(one == JSONNumber("1.0"))
    #expect(one == JSONNumber("10e-1"))
    #expect(try #require(JSONNumber("9007199254740992")) < #require(JSONNumber("9007199254740993")))
    #expect(try #require(JSONNumber("-2")) < one)
    #expect(JSONNumber("0") == JSONNumber("-0.0e5"))
  }

  @Test(
    "Text that is not exactly one number is refused",
    arguments: ["", "01", "1.", ".5", "+1", "1e", "0x10", "1 ", "NaN"])
  func notANumber(text: String) {
    #expect(JSONNumber(text) == nil)
  }

  @Test("A document comes back as it was written, with the last of equal keys")
  func roundTrip() throws {
    let value = try JSONValue(parsing: #"{"b":[1.50,-2e9,true,null],"a":"\u00e9\ud83d\ude00\n","b2":{},"b":0}"#.utf8)
    #expect(String(decoding: value.json, as: UTF8.self) == #"{"b":0,"a":"é😀\n","b2":{}}"#)
  }

  @Test("What is not JSON is refused with the byte where it stops being JSON")
  func syntaxErrors() {
    #expect(throws: JSONSyntaxError(offset: 6, reason: "expected ',' or '}'")) {
      try JSONValue(parsing: #"{"a":1"b":2}"#.utf8)
    }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: [0x22, 0xFF, 0x22]) }
    #expect(throws: JSONSyntaxError.self) { try JSONValue(parsing: String(repeating: "[", count: 10_000).utf8) }
  }
}
