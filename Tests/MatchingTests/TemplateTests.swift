import JSON
import Matching
import Testing

@Suite("Templates") struct TemplateTests {
  static let event = Result {
    try JSONValue(
      parsing: #"""
        {"user": {"name": "alice", "age": 1.50, "roles": ["a", "b"]}, "items": [{"id": 1}, {"id": 2}], "a.b": "dotted",
         "note": "{user.name}", "severity": "event's own", "none": null, "nul": "x\u0000y"}
        """#.utf8)
  }

  @Test(
    "Places take the event's values, and everything else stays as it was written",
    arguments: [
      ("{user.name} is {user.age}", "alice is 1.50"), ("{items.id}", "1, 2"), ("{user.roles}", #"["a","b"]"#),
      ("{a.b}", "dotted"), ("{missing} {user.none}", "{missing} {user.none}"), ("{none}", "null"),
      ("{{user.name}}", "{user.name}"), ("{{{user.name}}}", "{alice}"), ("{note}", "{user.name}"),
      ("{severity}: {policy_name}", "high: Logins"), ("a { b } c {", "a { b } c {"), ("}", "}"), ("", ""), ("{}", "{}"),
      ("{nul}", "x\u{FFFD}y"), ("{user.name}\u{E33}", "alice\u{E33}"), ("{\u{301}}", "{\u{301}}"),
    ])
  func rendering(template: String, expected: String) throws {
    let text = Template(template)
      .rendered(event: try Self.event.get(), alert: ["severity": "high", "policy_name": "Logins"], limit: 500)
    #expect(text == expected)
  }

  @Test("A template takes time in proportion to what it says", .timeLimit(.minutes(1)))
  func manyPlaces() throws {
    let places = Template(String(repeating: "{f}", count: 3333))
    let event: JSONValue = ["f": "nineteen characters"]
    for _ in 0..<20 {
      #expect(places.rendered(event: event, alert: [:], limit: 65_536).unicodeScalars.count == 63_327)
    }
    let open = Template(String(repeating: "{a", count: 5000))
    #expect(open.rendered(event: event, alert: [:], limit: 65_536) == open.source)
    let late = Template(String(repeating: "{a", count: 4999) + "}")
    #expect(late.rendered(event: event, alert: [:], limit: 65_536) == late.source)
  }

  @Test("A text past the limit is cut to it and says so")
  func limit() throws {
    let long: JSONValue = ["f": .string(String(repeating: "é", count: 600))]
    let text = Template("{f}{f}").rendered(event: long, alert: [:], limit: 500)
    #expect(text.unicodeScalars.count == 500)
    #expect(text.hasSuffix("é…"))
    #expect(Template("{f}").rendered(event: ["f": "12345"], alert: [:], limit: 5) == "12345")
  }
}
