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

  @Test(
    "The last of equal keys wins however they are spelled, in small objects and in large ones", arguments: [2, 500])
  func equalKeys(count: Int) throws {
    let members = (0..<count).map { #""key-\#($0)":\#($0)"# }
    let text = "{" + (members + [#""k\u0065y-1":"last""#, #""":0"#, #""":1"#]).joined(separator: ",") + "}"
    let object = try #require(try JSONValue(parsing: text.utf8).object)
    #expect(object.members.count == count + 1)
    #expect(object["key-1"] == "last")
    #expect(object["key-0"] == 0)
    #expect(object[""] == 1)
    #expect(object["key-\(count)"] == nil)
    #expect(object.members[1].key == "key-1")
  }

  @Test("A member is removed and found no more, in small objects and in large ones", arguments: [3, 24, 25, 26, 500])
  func removal(count: Int) {
    var object = JSONObject((0..<count).map { ("key-\($0)", .number(JSONNumber($0))) })
    object["key-1"] = nil
    object["key-1"] = nil
    #expect(object["key-1"] == nil)
    #expect(object.members.count == count - 1)
    #expect((2..<count).allSatisfy { object["key-\($0)"] == .number(JSONNumber($0)) })
    object["key-1"] = true
    #expect(object.members.last?.key == "key-1")
    #expect(object["key-1"] == true)
  }

  @Test("Keys and strings that are canonically equivalent are different ones")
  func equivalents() throws {
    let object = try #require(try JSONValue(parsing: #"{"\u00e9": 1, "e\u0301": 2}"#.utf8).object)
    #expect(object.members.count == 2)
    #expect(object["e\u{301}"] == 2)
    #expect(JSONValue.string("\u{e9}") != .string("e\u{301}"))
  }

  @Test("Text is measured in Unicode scalars", arguments: ["", "a", "é", "e\u{301}", "👩‍👩‍👧", "abc"])
  func scalars(text: String) {
    for low in 0...5 {
      for high in low...6 {
        #expect(text.hasScalars(low...high) == (low...high).contains(text.unicodeScalars.count))
      }
    }
  }
}

@Suite("Reading an object") struct ObjectReaderTests {
  private func faults(_ json: JSONValue, _ read: (inout ObjectReader) -> Void) throws -> [String] {
    try #require(throws: JSONFaults.self) {
      var reader = try ObjectReader(json)
      read(&reader)
      try reader.finish()
    }.faults.map { "\($0.pointer) \($0.detail)" }
  }

  @Test("Members that nobody asked for are faults, also past the sixty-fourth, and each names what is known")
  func unknownMembers() throws {
    let members = (0..<70).map { ("m\($0)", JSONValue.null) } + [("a/b", true)]
    let found = try faults(.object(JSONObject(members))) { reader in
      for number in 0..<70 where number != 3 && number != 66 { _ = reader.value("m\(number)") }
      reader.ignore(["other"])
    }
    #expect(found.map { $0.prefix(while: { $0 != " " }) } == ["/m3", "/m66", "/a~1b"])
    #expect(found.allSatisfy { $0.contains("m0, m1, m10") && $0.hasSuffix(", other") })
  }

  @Test("Faults of what is inside are told from the outermost object, in the order they were found")
  func pointers() throws {
    let json: JSONValue = ["list": [["n": 1], ["n": "x"], 5], "one": ["n": nil], "more": 1]
    let found = try faults(json) { reader in
      func read(_ value: JSONValue) throws(JSONFaults) -> Int? {
        var inner = try ObjectReader(value)
        inner.require("n")
        let number = inner.integer("n", in: 0...5)
        try inner.finish()
        return number
      }
      #expect(reader.elements("list", count: 0...3, read) == nil)
      #expect(reader.nested("one", read) == nil)
    }
    #expect(
      found == [
        "/list/1/n must be a whole number from 0 to 5", "/list/2 must be an object, not a number", "/one/n is required",
        "/more is not a field here; known are list, one",
      ])
  }

  @Test("Where other members are accepted, none is a fault")
  func otherMembers() throws {
    var reader = try ObjectReader(["a": 1, "b": 2], acceptsOthers: true)
    #expect(reader.value("a") == 1)
    try reader.finish()
  }
}
