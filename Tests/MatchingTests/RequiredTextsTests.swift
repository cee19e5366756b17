import Testing

@testable import Matching

@Suite("What patterns require") struct RequiredTextsTests {
  @Test(
    "Literals are required, unless they may be missing",
    arguments: [
      ("abc", [["abc"]]), ("ABC", [["abc"]]), ("^a.b$", [["a"], ["b"]]), ("ab+c", [["ab"], ["c"]]),
      ("ab*c", [["a"], ["c"]]), ("ab?c", [["a"], ["c"]]), ("ab{0,3}c", [["a"], ["c"]]), ("ab{2}c", [["ab"], ["c"]]),
      ("ab{,2}", [["ab{,2}"]]), ("x{01}", [["x{01}"]]), ("ab|cd", [["ab", "cd"]]), ("ab|", []), ("ab|.", []),
      ("x(?:ab|cd)y", [["x"], ["ab", "cd"], ["y"]]), ("x(ab)?y", [["x"], ["y"]]), ("(ab)+y", [["ab"], ["y"]]),
      ("(?i)ab", [["ab"]]), ("a(?i:B)c", [["a"], ["b"], ["c"]]), ("(?P<name>ab)", [["ab"]]),
      ("a[bc]d", [["a"], ["d"]]), ("a[]bc]d", [["a"], ["d"]]), ("a[[:alpha:]x]d", [["a"], ["d"]]),
      (#"a[\]x]d"#, [["a"], ["d"]]), (#"a\.b\d"#, [["a.b"]]), (#"a\Q.*\Eb"#, [["a.*b"]]), (#"a\Qbc\E*"#, [["ab"]]),
      (#"\x61b"#, [["b"]]), (#"\x{61}b"#, [["b"]]), (#"\1411b"#, [["1b"]]), (#"\pLb"#, [["b"]]),
      (#"\p{Greek}b"#, [["b"]]), (#"\bab\b"#, [["ab"]]), ("", []), (".*", []), ("Straße|ΟΔΟΣ", [["straße", "οδοσ"]]),
    ])
  func required(pattern: String, texts: [[String]]) throws {
    _ = try Pattern(pattern, isCaseSensitive: true)
    #expect(RequiredTexts(of: pattern).choices == texts)
  }

  @Test("What a text must have for a pattern to match, every text has that it matches")
  func agreement() throws {
    let seed = UInt64.random(in: 0...(.max))
    var cases = RandomCases(seed: seed)
    var (matches, refutations) = (0, 0)
    for _ in 0..<4000 {
      let text = cases.pattern(depth: 2)
      let pattern = try Pattern(text, isCaseSensitive: false)
      let choices = RequiredTexts(of: text).choices
      for _ in 0..<20 {
        let event = cases.text()
        let folded = CaseFolding.folded(event)
        let isPossible = choices.allSatisfy { $0.contains { folded.has($0) } }
        let isMatch = Array(event.utf8).withUnsafeBufferPointer { pattern.matches($0) }
        matches += isMatch ? 1 : 0
        refutations += isPossible ? 0 : 1
        guard isMatch, !isPossible else { continue }
        Issue.record("seed \(seed): \(text) matches \(event.debugDescription), which has not \(choices)")
        return
      }
    }
    #expect(matches > 4000 && refutations > 4000, "seed \(seed)")
  }

  @Test("Where case plays no part, RE2 takes for the same only what folds to the same")
  func folding() throws {
    let scalars = (0...UInt32(0x1FFFF)).compactMap(Unicode.Scalar.init)
    let folding = scalars.filter { CaseFolding.folded($0) != $0 }
    #expect(folding.count > 1400)
    let groups = Dictionary(grouping: Set(folding + folding.map { CaseFolding.folded($0) })) { CaseFolding.folded($0) }
    // All that RE2 could take for another: those that fold, what they fold to, and letters that have two cases.
    let candidates = Set(groups.values.joined()).union(scalars.filter { $0.properties.changesWhenCaseMapped }).sorted()
    for (folded, same) in groups {
      let others = String(String.UnicodeScalarView(candidates.filter { $0 != folded && !same.contains($0) }))
      for scalar in same {
        let pattern = try Pattern("\\Q\(scalar)\\E", isCaseSensitive: false)
        #expect(!Array(others.utf8).withUnsafeBufferPointer { pattern.matches($0) }, "\(scalar)")
      }
    }
  }
}
