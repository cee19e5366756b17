import JSON
import Testing

@testable import Matching

@Suite("Batches of events") struct EventBatchTests {
  private func texts(_ batch: EventBatch, of body: String) -> [String] {
    batch.events.map { String(decoding: Array(body.utf8)[$0], as: UTF8.self) }
  }

  @Test("Each line that is not blank is an event, good or bad, with or without an end of line")
  func lines() {
    let body = "{\"a\":1}\n\n  \t\r\n{\"b\":\r\n[1]\n x"
    #expect(texts(EventBatch(lines: Array(body.utf8).span), of: body) == ["{\"a\":1}", "{\"b\":\r", "[1]", " x"])
    #expect(EventBatch(lines: [UInt8]().span).events.isEmpty)
    #expect(EventBatch(lines: Array("\n\n".utf8).span).events.isEmpty)
  }

  @Test("Each element of an array is an event, whatever it is")
  func elements() throws {
    let body = " [ {\"a\":[1,{}]} ,2, \"x,]\" ,[],null] \n"
    #expect(
      texts(try EventBatch(array: Array(body.utf8).span), of: body) == ["{\"a\":[1,{}]}", "2", "\"x,]\"", "[]", "null"])
    #expect(try EventBatch(array: Array("[ ]".utf8).span).events.isEmpty)
  }

  @Test("An element may nest as deep as an event alone")
  func depth() throws {
    let element = String(repeating: "[", count: 128) + String(repeating: "]", count: 128)
    #expect(try EventBatch(array: Array("[\(element),\(element)]".utf8).span).events.count == 2)
    #expect(throws: JSONSyntaxError(offset: 129, reason: "nested more than 128 deep")) {
      try EventBatch(array: Array("[[\(element)]]".utf8).span)
    }
  }

  @Test(
    "An array that is not JSON throughout is no batch",
    arguments: [
      ("{}", 0, "expected an array"), ("", 0, "expected an array"), ("[", 1, "expected a value, found the end"),
      ("[1", 2, "expected ',' or ']'"), ("[1,]", 3, "expected a value"), ("[{}}]", 3, "expected ',' or ']'"),
      ("[]1", 2, "unexpected text behind the JSON value"), ("[{\"a\":01}]", 6, "malformed number"),
    ])
  func malformed(body: String, offset: Int, reason: String) {
    #expect(throws: JSONSyntaxError(offset: offset, reason: reason)) { try EventBatch(array: Array(body.utf8).span) }
  }
}
