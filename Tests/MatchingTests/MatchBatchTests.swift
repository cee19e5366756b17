import JSON
import Testing

@testable import Matching

@Suite("The matches of one request") struct MatchBatchTests {
  private func batch(_ limit: Int?, sizeLimit: Int = .max, _ keys: MatchKey...) -> MatchBatch {
    var batch = MatchBatch(sizeLimit: sizeLimit)
    for (number, key) in keys.enumerated() {
      batch.add(key, limit: limit) {
        AlertDraft(id: "\(number)", title: "t", message: "m", summary: "s", event: [UInt8(number)])
      }
    }
    return batch
  }

  /// Each match by the draft that it has, `-` for none, and its events.
  private func texts(_ batch: MatchBatch) -> [String] {
    batch.matches.map { "\($0.alert?.id ?? "-") \($0.events)" }
  }

  @Test("Without a limit every match has its draft")
  func unlimited() {
    let key = MatchKey(policyID: "p")
    let batch = batch(nil, key, key, key)
    #expect(texts(batch) == ["0 1", "1 1", "2 1"])
    #expect(batch.answered == [0, 1, 2])
    #expect(batch.matches.allSatisfy { !$0.isLimited })
  }

  @Test("As many matches of a key as may be raised have a draft; the others are counted")
  func folding() {
    let (key, other) = (MatchKey(policyID: "p"), MatchKey(policyID: "p", throttleKey: "[1]"))
    let batch = batch(2, key, key, other, key, key, other, other, key, other)
    #expect(texts(batch) == ["0 1", "1 1", "2 1", "- 3", "5 1", "- 2"])
    #expect(batch.answered == [0, 1, 2, 4])
    #expect(batch.matches.allSatisfy { $0.isLimited })
  }

  @Test("Batches put together keep what each has, and a repeat of an event id says again what came of the first")
  func together() {
    let (key, repeated) = (MatchKey(policyID: "p"), MatchKey(policyID: "p", eventID: "e"))
    var digest = batch(1, repeated, key)
    digest.hasDigest = true
    var all = MatchBatch()
    let places = [batch(1, key, key, repeated), batch(nil), digest, batch(nil, key)].map { all.add($0) }
    #expect(texts(all) == ["0 1", "- 1", "2 1", "1 1", "0 1"])
    #expect(all.answered == [0, 2, 2, 3, 4])
    #expect(places == [0..<2, 2..<2, 2..<4, 4..<5])
    #expect(all.hasDigest)
    #expect(all.size == 5 * MatchBatch.leastSize)
  }

  @Test("Only what is decided alike folds: the policy, the throttle key and the suppressions, by their bytes")
  func keys() {
    let keys = [
      MatchKey(policyID: "p"), MatchKey(policyID: "q"), MatchKey(policyID: "p", throttleKey: "[\"\u{E9}\"]"),
      MatchKey(policyID: "p", throttleKey: "[\"e\u{301}\"]"), MatchKey(policyID: "p", suppressionIDs: ["s"]),
      MatchKey(policyID: "p", suppressionIDs: ["s", "t"]), MatchKey(policyID: "p", suppressionIDs: ["st"]),
    ]
    var batch = MatchBatch()
    for key in keys + keys + keys {
      batch.add(key, limit: 1) { AlertDraft(id: "", title: "", message: "", summary: "", event: []) }
    }
    #expect(batch.matches.count == keys.count * 2)
    #expect(batch.matches.map(\.events).reduce(0, +) == keys.count * 3)
  }

  @Test("An event with an id never folds, and a repeat says again what came of the first")
  func eventIDs() {
    let (one, two) = (MatchKey(policyID: "p", eventID: "1"), MatchKey(policyID: "p", eventID: "2"))
    let batch = batch(
      1, one, two, one, MatchKey(policyID: "p"), MatchKey(policyID: "p"), MatchKey(policyID: "q", eventID: "1"), one)
    #expect(texts(batch) == ["0 1", "1 1", "3 1", "- 1", "5 1"])
    #expect(batch.answered == [0, 1, 0, 2, 4, 0])
    #expect(batch.matches.map(\.key.eventID) == ["1", "2", nil, nil, "1"])
  }

  @Test("What a batch comes to counts the words, each event once, and something for each alert")
  func size() {
    let least = MatchBatch.leastSize
    #expect(batch(nil, MatchKey(policyID: "p")).size == least)
    var batch = MatchBatch(sizeLimit: 5 * least)
    let event = [UInt8](repeating: 0x20, count: 2 * least)
    for _ in 0..<2 {
      batch.add(MatchKey(policyID: "p"), limit: nil) {
        AlertDraft(
          id: "", title: String(repeating: "t", count: least), message: "m", summary: "ss", event: event)
      }
    }
    #expect(batch.size == 4 * least + 6)
    #expect(!batch.isOverfull)
    batch.add(MatchKey(policyID: "p"), limit: nil) {
      AlertDraft(id: "", title: "", message: "", summary: "", event: [])
    }
    #expect(batch.isOverfull)
  }

  @Test("An event that meets very many policies is not rendered for all of them before its size is seen")
  func renderingEndsWhereFull() throws {
    let policies = try (0..<100).map { number in
      let policy: JSONValue = [
        "name": "P", "rules": [["field": "a", "operator": "exists", "value": true]], "message_template": "{a}",
        "summary_template": "{a}", "providers": [],
      ]
      return (id: "policy-\(number)", policy: try Policy(json: policy))
    }
    var next = policies.makeIterator()
    let set = PolicySet(rules: [:], suppressions: []) { next.next() }
    var batch = MatchBatch(sizeLimit: 1 << 20)
    var rendered = 0
    let event = "{\"a\":\"\(String(repeating: "x", count: 60_000))\"}"
    let isMatched = try set.match(Array(event.utf8).span, into: &batch) {
      rendered += 1
      return "alert-\(rendered)"
    }
    #expect(isMatched && batch.isOverfull)
    #expect(rendered == 9)
  }
}
