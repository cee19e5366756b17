import JSON
import Testing

@testable import Matching

/// Windows of all these sizes see the same events: the ends of the small ones fall everywhere.
private let windowSizes = [16, 17, 19, 23, 32, 1 << 17]

@Suite("Batches of events") struct EventBatchTests {
  /// The events of a body as texts, `-` in the place of one that is too long, through a window of that size.
  private func events(
    _ body: String, isArray: Bool, limit: Int = 1000, windowSize: Int, countIsKnown: Bool = true
  ) throws -> [String] {
    var rest = Array(body.utf8)[...]
    var events: [String] = []
    let count = countIsKnown ? rest.count : nil
    var batch = EventBatch(count: count, eventLimit: limit, windowSize: windowSize) { memory in
      let piece = rest.prefix(memory.count)
      rest = rest.dropFirst(piece.count)
      _ = memory.update(fromContentsOf: piece)
      return piece.count
    }
    if isArray {
      try batch.elements { events.append(text($0)) }
    } else {
      try batch.lines { events.append(text($0)) }
    }
    return events
  }

  private func text(_ event: Span<UInt8>?) -> String {
    guard let event else { return "-" }
    return event.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) }
  }

  @Test("Each line that is not blank is an event, good or bad, with or without an end of line", arguments: windowSizes)
  func lines(windowSize: Int) throws {
    let bodies = [
      "{\"a\":1}\n\n  \t\r\n{\"b\":\r\n[1]\n x": ["{\"a\":1}", "{\"b\":\r", "[1]", " x"],
      "": [], "\n\n": [], "1": ["1"], "\n1\n\n": ["1"],
      "{\"a\":\"sixteen and more\"}\n2\n": ["{\"a\":\"sixteen and more\"}", "2"],
    ]
    for (body, lines) in bodies {
      for isKnown in [true, false] {
        #expect(try events(body, isArray: false, windowSize: windowSize, countIsKnown: isKnown) == lines)
      }
    }
  }

  @Test("A line past the limit is told and passed over, unless it is blank", arguments: windowSizes)
  func longLines(windowSize: Int) throws {
    let long = String(repeating: "x", count: 41)
    let body = "1\n\(long)\n\(long.dropLast())\r\n\(long.dropLast())\n\(String(repeating: " ", count: 99))\n2\n\(long)"
    #expect(
      try events(body, isArray: false, limit: 40, windowSize: windowSize)
        == ["1", "-", "-", String(long.dropLast()), "2", "-"])
  }

  @Test("Each element of an array is an event, whatever it is", arguments: windowSizes)
  func elements(windowSize: Int) throws {
    let body = " [ {\"a\":[1,{}]} ,2, \"x,]\" ,[],null, 12345678901234567890,true, \"\u{E9}\\u00e9\" ] \n"
    let elements = [
      "{\"a\":[1,{}]}", "2", "\"x,]\"", "[]", "null", "12345678901234567890", "true", "\"\u{E9}\\u00e9\"",
    ]
    for isKnown in [true, false] {
      #expect(try events(body, isArray: true, windowSize: windowSize, countIsKnown: isKnown) == elements)
    }
    #expect(try events("[ ]", isArray: true, windowSize: windowSize).isEmpty)
  }

  @Test("An element past the limit is told, and the others are there", arguments: windowSizes)
  func longElements(windowSize: Int) throws {
    let long = "\"" + String(repeating: "x", count: 39) + "\""
    #expect(try events("[1,\(long),2]", isArray: true, limit: 40, windowSize: windowSize) == ["1", "-", "2"])
    #expect(try events("[1,\(long),2]", isArray: true, limit: 41, windowSize: windowSize) == ["1", long, "2"])
  }

  @Test("An element may nest as deep as an event alone", arguments: windowSizes)
  func depth(windowSize: Int) throws {
    let element = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect(try events("[\(element),\(element)]", isArray: true, windowSize: windowSize).count == 2)
    #expect(throws: JSONSyntaxError(offset: 129, reason: "nested more than 128 deep")) {
      try events("[[\(element)]]", isArray: true, windowSize: windowSize)
    }
  }

  @Test(
    "An array that is not JSON throughout is no batch",
    arguments: [
      ("{}", 0, "expected an array"), ("", 0, "expected an array"), ("[", 1, "expected a value, found the end"),
      ("[1", 2, "expected ',' or ']'"), ("[1,]", 3, "expected a value"), ("[{}}]", 3, "expected ',' or ']'"),
      ("[]1", 2, "unexpected text behind the JSON value"), ("[{\"a\":01}]", 6, "malformed number"),
      ("[\"a string without its end, ]", 1, "no closing quote for the string that begins"),
      ("[1, 2, 3, 4, 5, 6, 7, 8, tru]", 25, "expected a value"), ("[1 2]", 3, "expected ',' or ']'"),
      ("[1, 2, 3, 4, 5, 6, 7, 8, -]", 25, "malformed number"), ("[1,,2]", 3, "expected a value"),
      (" [1, 2, 3, 4, 5, 6, 7, 8] [", 26, "unexpected text behind the JSON value"),
      ("[{\"a\":1}, {\"a\":2}, {\"a\" 3}, {\"a\":4}]", 24, "expected ':' behind the key"),
    ])
  func malformed(body: String, offset: Int, reason: String) {
    for windowSize in windowSizes {
      #expect(throws: JSONSyntaxError(offset: offset, reason: reason)) {
        try events(body, isArray: true, windowSize: windowSize)
      }
    }
  }

  @Test("What reading the body throws goes through")
  func source() {
    struct Gone: Error {}
    var batch = EventBatch(count: nil, eventLimit: 10) { _ in throw Gone() }
    #expect(throws: Gone.self) { try batch.lines { _ in } }
    #expect(throws: Gone.self) { try batch.elements { _ in } }
  }
}
