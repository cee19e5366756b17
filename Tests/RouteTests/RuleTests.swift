import JSON
import TestSupport
import Testing

@Suite("Stored rules") struct RuleTests {
  let service: Service

  init() throws { service = try Service() }

  static let compound = """
    {"name":"c","conditions":[{"field":"a","operator":"eq","value":1},{"field":"b","operator":"ne","value":"x"}],
    "group_operator":"OR"}
    """

  @Test("Simple and compound rules are created at a path of their own, or told apart by what they have")
  func forms() throws {
    let simple = #"{"name":"s","field":"a","operator":"eq","value":1}"#
    for (path, body, type) in [
      ("/rules/simple", simple, "simple"), ("/rules", simple, "simple"),
      ("/rules/compound", Self.compound, "compound"), ("/rules", Self.compound, "compound"),
    ] {
      let created = try service.call("POST", path, body: body)
      #expect(created.status == 201)
      #expect(try created["rule_type"] == .string(type))
      let id = try #require(try created["rule_id"]?.string)
      #expect(created.headers["location"] == "/api/v1/alerts/rules/\(id)")
    }
  }

  @Test("Members that are null say nothing about a rule's type, and policies can use the rule")
  func nulls() throws {
    let bodies = [
      #"{"rule_id":"s","name":"s","field":"a","operator":"eq","value":1,"conditions":null,"case_sensitive":null}"#,
      #"{"rule_id":"c","name":"c","rule_type":null,"conditions":[{"field":"b","operator":"eq","value":1}]}"#,
    ]
    for (body, type) in zip(bodies, ["simple", "compound"]) {
      let created = try service.call("POST", "/rules", body: body)
      #expect(created.status == 201)
      #expect(try created["rule_type"] == .string(type))
      #expect(try created["case_sensitive"] == (type == "simple" ? true : .null))
    }
    let policy = #"""
      {"name":"p","rule_configs":[{"rule_id":"s"},{"rule_id":"c"}],"message_template":"m","summary_template":"s",
      "providers":[]}
      """#
    #expect(try service.call("POST", "/policies", body: policy).status == 201)
    let answer = try service.call("POST", "/process-event", body: #"{"a":1,"b":1}"#)
    #expect(try answer["message"] == "Event processed, 1 alerts triggered")
  }

  @Test("The paths by which rules are created are no ids of rules", arguments: ["simple", "compound"])
  func takenIDs(id: String) throws {
    let answer = try service.call("GET", "/rules/\(id)")
    #expect(answer.status == 405)
    #expect(answer.headers["allow"] == "POST")
    let refused = try service.call("POST", "/rules", body: Noun.all[1].document(id: id))
    #expect(refused.status == 422)
    #expect(try refused.pointers == ["/rule_id"])
  }

  @Test("Of members that the other type has, nothing is shown")
  func othersMembers() throws {
    let simple = #"{"name":"s","rule_type":"simple","field":"a","operator":"eq","value":1,"conditions":5}"#
    #expect(try service.call("POST", "/rules", body: simple)["conditions"] == .null)
    let compound = #"{"name":"c","conditions":[{"field":"a","operator":"eq","value":1}],"field":["a"]}"#
    #expect(try service.call("POST", "/rules", body: compound)["field"] == .null)
  }

  @Test("A rule of the other type is refused at such a path")
  func wrongForm() throws {
    let answer = try service.call(
      "POST", "/rules/simple", body: #"{"name":"c","rule_type":"compound","conditions":[]}"#)
    #expect(answer.status == 422)
    #expect(try answer.pointers == ["/rule_type"])
    #expect(try service.call("POST", "/rules/compound", body: #"{"name":"c","field":"a"}"#).status == 422)
  }

  @Test(
    "A value comes back with the type it went in with",
    arguments: ["1", "1.50", "\"1\"", "true", "null", "[1,\"1\",null,false]", "-0.0", "1e400", "\"\\u0001\""])
  func values(value: String) throws {
    let name = value.hasPrefix("[") ? "in" : "eq"
    let created = try service.call(
      "POST", "/rules",
      body: "{\"rule_id\":\"v\",\"name\":\"v\",\"field\":\"a\",\"operator\":\"\(name)\",\"value\":\(value)}")
    #expect(created.status == 201)
    #expect(try service.call("GET", "/rules/v").text.contains("\"value\":\(value)"))
  }

  @Test("The list narrows to a field and to rules that are switched on or off")
  func filters() throws {
    for (id, field, isEnabled) in [("a1", "a", true), ("a2", "a", false), ("b1", "b", true)] {
      let body = """
        {"rule_id":"\(id)","name":"n","field":"\(field)","operator":"exists","value":true,"enabled":\(isEnabled)}
        """
      #expect(try service.call("POST", "/rules", body: body).status == 201)
    }
    for (query, expected) in [
      ("", ["a1", "a2", "b1"]), ("?field=a", ["a1", "a2"]), ("?enabled=true", ["a1", "b1"]),
      ("?enabled=false&field=a", ["a2"]), ("?field=c", []),
    ] {
      let answer = try service.call("GET", "/rules\(query)")
      guard case .array(let rules) = try answer["rules"] else { throw SystemFailure("list rules", 0) }
      #expect(rules.compactMap { $0.object?["rule_id"]?.string } == expected)
      #expect(try answer["total"] == .number(JSONNumber(expected.count)))
    }
  }

  @Test("A rule that policies name cannot be deleted, and the answer names them")
  func inUse() throws {
    #expect(try service.call("POST", "/rules", body: Noun.all[1].document(id: "r")).status == 201)
    let body = """
      {"policy_id":"user","name":"p","rule_configs":[{"rule_id":"r"}],"message_template":"m","summary_template":"s",
      "providers":[]}
      """
    #expect(try service.call("POST", "/policies", body: body).status == 201)
    let refused = try service.call("DELETE", "/rules/r")
    #expect(refused.status == 409)
    #expect(try refused.detail.contains("user"))
    #expect(try service.call("GET", "/rules/r").status == 200)
    #expect(try service.call("DELETE", "/policies/user").status == 204)
    #expect(try service.call("DELETE", "/rules/r").status == 204)
  }

  @Test("A rule may change its type")
  func changeType() throws {
    #expect(try service.call("POST", "/rules", body: Noun.all[1].document(id: "r")).status == 201)
    let change = #"{"rule_type":"compound","conditions":[{"field":"a","operator":"eq","value":1}]}"#
    let changed = try service.call("PUT", "/rules/r", body: change)
    #expect(changed.status == 200)
    #expect(try changed["rule_type"] == "compound")
    #expect(try changed["field"] == .null)
  }
}
