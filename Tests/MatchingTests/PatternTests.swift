import Testing

@testable import Matching

/// A pattern that is taken has to compile when it is needed: the process ends if it does not.
@Suite("Patterns") struct PatternTests {
  @Test(
    "However large a pattern is, it is refused at once or can be searched for",
    arguments: [
      #"\W"#, ".", "[^k]", #"\D"#, "[^ks]", "(.)", "(?i:k)", "é", "[à-ﾟ]", #"\pL"#, #"\PL"#, "[[:^alpha:]]",
      #"[^\x{20}]"#, #"\W{4}"#, #"(\W{3}){3}"#,
      #"((?:.|\W){0,5}-)"#, #"\W{2,4}"#, "x{,4}", #"\p{Greek}"#, "(?:k|s|(?:k|s)+)*",
    ], [true, false])
  func largest(part: String, isCaseSensitive: Bool) {
    var taken = 0
    for count in stride(from: 1, through: 1000 / part.unicodeScalars.count, by: 7) {
      let text = String(repeating: part, count: count)
      guard let pattern = try? Pattern(text, isCaseSensitive: isCaseSensitive) else { continue }
      _ = Array("nothing like it".utf8).withUnsafeBufferPointer { pattern.matches($0) }
      taken += 1
    }
    #expect(taken > 0)
  }

  @Test("Threads that search with a pattern for the first time do not disturb each other")
  func threads() async throws {
    for round in 0..<50 {
      let pattern = try Pattern("^user-\(round)-[a-z]+$", isCaseSensitive: false)
      let found = await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<8 {
          group.addTask { Array("USER-\(round)-abc".utf8).withUnsafeBufferPointer { pattern.matches($0) } }
        }
        return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
      }
      #expect(found == 8)
    }
  }
}
