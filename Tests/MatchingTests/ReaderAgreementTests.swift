import Foundation
import Glibc
import JSON
import Testing

@testable import Matching

@Suite("The two readers of JSON") struct ReaderAgreementTests {
  /// A seed of the environment's choice, to see a failure again, or a new one.
  private static let seed =
    getenv("TOCSIN_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 0...(.max))

  private static let realEvents = Result { try DataCase.lines(of: "events.ndjson") }

  /// What looks like JSON, so that a change often does.
  private static let fragments =
    [
      "{", "}", "[", "]", ",", ":", "\"", "\\", "\\\"", "\\u", "\\ud83d", "\\ude00", "0", "-", ".", "e", "true", "null",
      " ",
      "\n", "\0", "é", "😀", "\"a\":1,", "[[[[", "{\"\":{", "\"type\":\"x\",", "\u{7F}",
    ].map { Array($0.utf8) } + [[0x80], [0xC3], [0xED, 0xA0, 0x80], [0xFF]]

  @Test("Real and random events that have been changed are refused by both at the same byte, or by neither")
  func agreement() throws {
    print("TOCSIN_TEST_SEED=\(Self.seed)")
    var cases = RandomCases(seed: Self.seed)
    let events = try Self.realEvents.get()
    let matcher = Matcher([try expression(#"{"field":"a.b","operator":"exists","value":true}"#)])
    var refused = 0
    for number in 0..<3000 {
      var event = number.isMultiple(of: 2) ? Array(cases.event().utf8) : events[cases.below(events.count)]
      for _ in 0...cases.below(3) { change(&event, &cases, events) }
      let tree = Result { try JSONValue(parsing: event) }
      let match = Result { try matcher.match(event.span) }
      switch (tree, match) {
      case (.success(.object), .success): continue
      case (.failure(let expected as JSONSyntaxError), .failure(let found as JSONSyntaxError))
      where expected == found || found.reason == "expected an object":
        refused += 1
      case (.success(let value), .failure(let found as JSONSyntaxError))
      where value.object == nil && found.reason == "expected an object":
        refused += 1
      default:
        Issue.record("seed \(Self.seed): \(tree) and \(match) of \(String(decoding: event, as: UTF8.self))")
        return
      }
    }
    #expect((750..<2950).contains(refused), "seed \(Self.seed)")
  }

  private func change(_ event: inout [UInt8], _ cases: inout RandomCases, _ events: [[UInt8]]) {
    let place = cases.below(event.count + 1)
    let end = min(event.count, place + cases.below(20))
    switch cases.below(7) {
    case 0: event.removeSubrange(place...)
    case 1: event.removeSubrange(place..<end)
    case 2: event.insert(contentsOf: event[place..<end], at: cases.below(event.count + 1))
    case 3 where place < event.count: event[place] = UInt8(cases.below(256))
    case 4:
      let other = events[cases.below(events.count)]
      let start = cases.below(other.count)
      event.insert(contentsOf: other[start..<min(other.count, start + cases.below(60))], at: place)
    default: event.replaceSubrange(place..<(cases.below(2) == 0 ? place : end), with: cases.pick(Self.fragments))
    }
  }
}
