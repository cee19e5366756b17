import JSON
import Postgres
import TestSupport
import Testing

/// An event is matched here and kept there: both must mean the same by it.
@Suite("JSON, as PostgreSQL reads it")
final class JSONAgreementTests {
  private let database: TestDatabase
  private let connection: Connection
  private let kept = Statement("kept", "SELECT $1::json::text")
  private let resolved = Statement("resolved", "SELECT ($1::json)::jsonb::text")

  init() throws {
    database = try TestDatabase(isEmpty: true)
    connection = try database.connect()
  }

  /// Why the server refuses a text, or nil where it does not.
  private func refusal(of text: String, by statement: Statement) throws -> PostgresError.Refusal? {
    do {
      _ = try connection.run(statement, .json(Array(text.utf8)))
      return nil
    } catch {
      guard let refusal = error.refusal else { throw error }
      return refusal
    }
  }

  @Test("Of equal keys the last wins, at any depth and however they are spelled, as in jsonb")
  func equalKeys() throws {
    var generator = SystemRandomNumberGenerator()
    let keys = [#""a""#, #""\u0061""#, #""b""#, #""A""#, #""é""#, #""\u00e9""#, #""e\u0301""#, #""""#, #""a.b""#]
    func value(_ depth: Int) -> String {
      let count = Int.random(in: 0..<6, using: &generator)
      switch Int.random(in: 0..<(depth > 0 ? 6 : 3), using: &generator) {
      case 0: return ["1", "1.50", "-2e3", "0.10", "123456789012345678901234567890"][count % 5]
      case 1: return [#""x""#, #""\ud83d\ude00\n""#, #""""#][count % 3]
      case 2: return ["true", "false", "null"][count % 3]
      case 3: return "[" + (0..<count).map { _ in value(depth - 1) }.joined(separator: ",") + "]"
      default:
        let members = (0..<count).map { _ in "\(keys.randomElement(using: &generator) ?? "") : \(value(depth - 1))" }
        return "{" + members.joined(separator: " , ") + "}"
      }
    }
    for _ in 0..<300 {
      let text = value(4)
      let theirs = try connection.run(resolved, .json(Array(text.utf8)))[0].text(0)
      #expect(try JSONValue(parsing: text.utf8) == JSONValue(parsing: theirs.utf8), "\(text)")
    }
  }

  @Test(
    "What is accepted here is kept there byte for byte",
    arguments: [
      " {\"a\" :1.50,\n\"a\":2}\t", "1e400", "-1e-400", "123456789012345678901234567890", #""\ud834\udd1e\/""#,
      #""\ud800""#,
      #""\udc00\ud800x""#, #"{"\u0000":"\u0000"}"#, "\"\u{7F}\u{10FFFF}\u{2028}\"", "[[],{},\"\",0,null,true,false]",
    ])
  func kept(text: String) throws {
    #expect(throws: Never.self) { try JSONValue(parsing: text.utf8) }
    #expect(try connection.run(kept, .json(Array(text.utf8)))[0].text(0) == text)
  }

  @Test("What jsonb alone would refuse: U+0000, halves of surrogate pairs, exponents of thousands")
  func jsonbRefuses() throws {
    for (text, state) in [(#"["\u0000"]"#, "22P05"), (#"["\ud800"]"#, "22P02"), ("1e200000", "22003")] {
      #expect(try refusal(of: text, by: kept) == nil)
      #expect(try refusal(of: text, by: resolved)?.sqlState == state)
      #expect(throws: Never.self) { try JSONValue(parsing: text.utf8) }
    }
  }

  @Test("Changed at a random place, a text is refused here if and only if it is refused there")
  func changed() throws {
    var generator = SystemRandomNumberGenerator()
    let original = Array(#"{"a":[1,-2.5e+3,"x\n\u00e9é",true,null,{}],"b":{"c":[[]],"":0.1},"d":false}"#.unicodeScalars)
    let others = Array(#"{}[]",:\/ue+-.019 tfn'é"#.unicodeScalars) + ["\n", "\u{1F}", "\u{A0}", "\u{FEFF}"]
    for _ in 0..<1500 {
      var scalars = original
      for _ in 0..<Int.random(in: 1...2, using: &generator) where !scalars.isEmpty {
        let place = Int.random(in: 0..<scalars.count, using: &generator)
        let other = others[Int.random(in: 0..<others.count, using: &generator)]
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: scalars[place] = other
        case 1: scalars.insert(other, at: place)
        case 2: scalars.remove(at: place)
        default: scalars.removeLast(scalars.count - place)
        }
      }
      let text = String(String.UnicodeScalarView(scalars))
      let isRead = (try? JSONValue(parsing: text.utf8)) != nil
      #expect(try (refusal(of: text, by: kept) == nil) == isRead, "\(text)")
    }
  }
}
