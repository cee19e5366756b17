import JSON
import TestSupport
import Testing

@Suite("Suppressions") struct SuppressionTests {
  let service: Service

  init() throws { service = try Service() }

  @Test("Without a start a suppression begins now, and its times come back in UTC")
  func times() throws {
    let created = try service.call(
      "POST", "/suppressions", key: "operator",
      body: #"{"policy_id":"p","reason":"move","suppressed_until":"2999-01-01T02:00:00+02:00"}"#)
    #expect(created.status == 201)
    #expect(try created["suppressed_until"] == "2999-01-01T00:00:00.000000Z")
    #expect(try created["starts_at"] == created["created_at"])
    #expect(try created["matchers"] == [])
    #expect(try created["reason"] == "move")
  }

  @Test("Matchers come back as they went in")
  func matchers() throws {
    let matchers: JSONValue = [
      ["field": "host", "operator": "in", "value": ["a", "b"]],
      [
        "rule_type": "compound", "group_operator": "NOT",
        "conditions": [["field": "x", "operator": "exists", "value": true]],
      ],
    ]
    let body: JSONValue = ["matchers": matchers, "suppressed_until": "2999-01-01T00:00:00Z"]
    let created = try service.call("POST", "/suppressions", body: body.json)
    #expect(created.status == 201)
    #expect(try created["matchers"] == matchers)
    #expect(try created["policy_id"] == .null)
  }

  @Test("A matcher may look for the character U+0000")
  func matcherWithNUL() throws {
    let matchers = #"[{"field":"a","operator":"eq","value":"x\u0000"}]"#
    let created = try service.call(
      "POST", "/suppressions", body: #"{"matchers":\#(matchers),"suppressed_until":"2999-01-01T00:00:00Z"}"#)
    #expect(created.status == 201)
    #expect(created.text.contains(matchers))
  }

  @Test(
    "The last moment of the calendar is an end that every event can be judged by",
    arguments: ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59+00:01"])
  func lastMoment(end: String) throws {
    let created = try service.call(
      "POST", "/suppressions", body: #"{"policy_id":"p","suppressed_until":"\#(end)"}"#)
    #expect(created.status == 201)
    #expect(try created["suppressed_until"]?.string?.hasPrefix("9999-12-31T23:5") == true)
    #expect(try service.call("POST", "/process-event", body: "{}").status == 200)
  }

  @Test(
    "A suppression that says something impossible is 422 with a pointer to it, and is not stored",
    arguments: [
      (#"{"policy_id":"p"}"#, "/suppressed_until"), (#"{"suppressed_until":"2999-01-01T00:00:00Z"}"#, "/matchers"),
      (#"{"policy_id":"p","suppressed_until":"2999-02-30T00:00:00Z"}"#, "/suppressed_until"),
      (#"{"policy_id":"p","suppressed_until":"tomorrow"}"#, "/suppressed_until"),
      (#"{"policy_id":"p","suppressed_until":"9999-12-31T23:59:59-05:00"}"#, "/suppressed_until"),
      (#"{"policy_id":"p","suppressed_until":"2001-01-01T00:00:00Z"}"#, "/suppressed_until"),
      (
        #"{"policy_id":"p","starts_at":"2999-01-02T00:00:00Z","suppressed_until":"2999-01-01T00:00:00Z"}"#,
        "/suppressed_until"
      ),
      (#"{"policy_id":"p","suppressed_until":"2999-01-01T00:00:00Z","until":1}"#, "/until"),
      (#"{"matchers":[{"field":"a"}],"suppressed_until":"2999-01-01T00:00:00Z"}"#, "/matchers/0/operator"),
    ])
  func impossible(body: String, pointer: String) throws {
    let answer = try service.call("POST", "/suppressions", body: body)
    #expect(answer.status == 422)
    #expect(try answer.pointers.contains(pointer), "\(answer.text)")
    #expect(try service.call("GET", "/suppressions")["total"] == 0)
  }

  @Test("A PUT can end a suppression later, and not before it starts")
  func change() throws {
    #expect(try service.call("POST", "/suppressions", body: Noun.all[3].document(id: "s")).status == 201)
    let changed = try service.call("PUT", "/suppressions/s", body: #"{"suppressed_until":"2998-01-01T00:00:00Z"}"#)
    #expect(changed.status == 200)
    #expect(try changed["suppressed_until"] == "2998-01-01T00:00:00.000000Z")
    let refused = try service.call("PUT", "/suppressions/s", body: #"{"suppressed_until":"2001-01-01T00:00:00Z"}"#)
    #expect(refused.status == 422)
    #expect(try service.call("GET", "/suppressions/s").json == changed.json)
  }
}
