import JSON
import TestSupport
import Testing

@Suite("Policies") struct PolicyTests {
  let service: Service

  init() throws { service = try Service() }

  /// A policy's least members with others over them; null takes one away.
  private func policy(_ members: JSONObject) throws -> String {
    let least: JSONObject = [
      "name": "p", "message_template": "m", "summary_template": "s", "providers": [],
      "rules": [["field": "a", "operator": "eq", "value": 1]],
    ]
    return String(decoding: least.overlaid(with: members).json, as: UTF8.self)
  }

  @Test("What is left out takes the contract's defaults")
  func defaults() throws {
    let created = try service.call("POST", "/policies", body: policy([:]))
    #expect(created.status == 201)
    let expected: JSONObject = [
      "description": .null, "enabled": true, "rule_configs": .null, "match_all": true, "severity": "medium",
      "time_window": .null, "throttle_minutes": 0, "max_alerts_per_hour": 10, "digest_minutes": 0, "throttle_by": [],
      "providers": [],
    ]
    for member in expected.members { #expect(try created[member.key] == member.value, "\(member.key)") }
    let window = try service.call(
      "POST", "/policies", body: policy(["time_window": ["start_time": "22:00", "end_time": "06:00"]]))
    #expect(
      try window["time_window"] == [
        "start_time": "22:00", "end_time": "06:00", "days_of_week": [0, 1, 2, 3, 4, 5, 6], "timezone": "UTC",
      ])
  }

  @Test("Everything that goes in comes back as it was, members of conditions and their types included")
  func wholePolicy() throws {
    #expect(try service.call("POST", "/providers", body: Noun.all[2].document(id: "pager")).status == 201)
    #expect(try service.call("POST", "/rules", body: Noun.all[1].document(id: "shared")).status == 201)
    let given: JSONObject = [
      "policy_id": "whole", "name": "Déjà vu 🔔", "description": "d", "enabled": false,
      "rules": [["field": "a.b", "operator": "in", "value": ["x", 1, true, .null]]],
      "rule_configs": [
        ["field": "n", "operator": "gt", "value": .number(try #require(JSONNumber("12345678901234567890.5")))],
        ["rule_id": "shared"],
        [
          "rule_type": "compound", "group_operator": "NOT",
          "conditions": [
            [
              "rule_type": "compound", "group_operator": "OR",
              "conditions": [
                ["field": "s", "operator": "regex", "value": "^a+$", "case_sensitive": false],
                ["field": "ip", "operator": "cidr", "value": ["10.0.0.0/8", "::1/128"]],
              ],
            ]
          ],
        ],
      ],
      "match_all": false, "severity": "critical", "message_template": "{a.b} {{x}}", "summary_template": "é",
      "time_window": [
        "start_time": "08:00", "end_time": "17:30", "days_of_week": [0, 4], "timezone": "Europe/Berlin",
      ],
      "throttle_minutes": 5, "max_alerts_per_hour": 0, "digest_minutes": 10_080, "throttle_by": ["user.id"],
      "providers": ["pager"],
    ]
    let created = try service.call("POST", "/policies", body: JSONValue.object(given).json)
    #expect(created.status == 201)
    let shown = try service.call("GET", "/policies/whole")
    for member in given.members { #expect(try shown[member.key] == member.value, "\(member.key)") }
    #expect(shown.text.contains("12345678901234567890.5"))
  }

  @Test(
    "A policy that says something impossible is 422 with a pointer to it and a sentence, and is not stored",
    arguments: [
      ("name", .null, "/name", "required"), ("name", 7, "/name", "a string"),
      ("name", "a\0b", "/name", "U+0000"), ("name", .string(String(repeating: "n", count: 256)), "/name", "255"),
      ("policy_id", "../etc", "/policy_id", "letter"), ("policy_id", "", "/policy_id", "1 to 255"),
      ("severity", "urgent", "/severity", "\"critical\""), ("enabled", "yes", "/enabled", "true or false"),
      ("rules", .null, "/rules", "required"), ("rules", [], "/rules", "1 to"),
      ("rules", [[:]], "/rules/0/field", "required"),
      ("rules", [["field": "a", "operator": "regex", "value": "(?=a)"]], "/rules/0/value", "RE2"),
      ("rules", [["field": "a", "operator": "regex", "value": "("]], "/rules/0/value", "RE2"),
      ("rules", [["field": "a", "operator": "~", "value": 1]], "/rules/0/operator", "\"eq\""),
      ("rules", [["field": "a", "operator": "cidr", "value": "10.0.0.0/33"]], "/rules/0/value", "network"),
      ("rules", [["field": "a", "operator": "exists", "value": 1]], "/rules/0/value", "true or false"),
      ("rules", [["field": "a", "operator": "in", "value": "x"]], "/rules/0/value", "array"),
      ("rule_configs", [["rule_id": "nowhere"]], "/rule_configs", "nowhere"),
      (
        "rule_configs", [["rule_type": "compound", "group_operator": "XOR", "conditions": []]],
        "/rule_configs/0/group_operator", "\"AND\""
      ),
      ("providers", .null, "/providers", "required"), ("providers", ["nobody"], "/providers/0", "nobody"),
      ("providers", ["a", "a"], "/providers", "twice"), ("providers", "a", "/providers", "array"),
      ("throttle_minutes", -1, "/throttle_minutes", "from 0"),
      ("max_alerts_per_hour", "9", "/max_alerts_per_hour", "whole"),
      ("digest_minutes", 10_081, "/digest_minutes", "0 to 10080"),
      ("digest_minutes", -1, "/digest_minutes", "0 to 10080"),
      ("digest_minutes", true, "/digest_minutes", "a whole number"),
      ("digest_minutes", "15", "/digest_minutes", "a whole number"),
      ("throttle_by", [""], "/throttle_by/0", "field path"), ("time_window", "always", "/time_window", "object"),
      ("time_window", ["start_time": "8:00", "end_time": "24:00"], "/time_window/end_time", "time of day"),
      (
        "time_window", ["start_time": "08:00", "end_time": "09:00", "timezone": "Mars/Olympus"],
        "/time_window/timezone",
        "IANA"
      ),
      (
        "time_window", ["start_time": "08:00", "end_time": "09:00", "days_of_week": [7]], "/time_window/days_of_week/0",
        "Sunday"
      ),
      ("message_template", "", "/message_template", "1 to 10000"), ("colour", "red", "/colour", "known are"),
    ] as [(String, JSONValue, String, String)])
  func impossible(member: String, value: JSONValue, pointer: String, word: String) throws {
    var members = JSONObject()
    members[member] = value
    let answer = try service.call("POST", "/policies", body: policy(members))
    #expect(answer.status == 422)
    #expect(try answer.pointers.contains(pointer), "\(answer.text)")
    #expect(answer.text.contains(String(decoding: word.json, as: UTF8.self).dropFirst().dropLast()))
    #expect(try service.call("GET", "/policies")["total"] == 0)
  }

  @Test("Of equal keys the last one counts, and a number of 400 digits comes back whole")
  func oddities() throws {
    let digits = String(repeating: "1234567890", count: 40)
    let body = """
      {"name":"first","name":"last","rules":[{"field":"a","operator":"eq","value":\(digits)}],"message_template":"m",
      "summary_template":"s","providers":[]}
      """
    let created = try service.call("POST", "/policies", body: body)
    #expect(created.status == 201)
    #expect(try created["name"] == "last")
    let id = try #require(try created["policy_id"]?.string)
    #expect(try service.call("GET", "/policies/\(id)").text.contains(digits))
  }

  @Test("Rules nested deeper than the limit are told so")
  func deepRules() throws {
    var rule = #"{"field":"a","operator":"eq","value":1}"#
    for _ in 0..<9 { rule = "{\"rule_type\":\"compound\",\"conditions\":[\(rule)]}" }
    let body = """
      {"name":"p","rule_configs":[\(rule)],"message_template":"m","summary_template":"s","providers":[]}
      """
    let answer = try service.call("POST", "/policies", body: body)
    #expect(answer.status == 422)
    #expect(try answer.detail.contains("nested deeper"))
  }

  @Test("A PUT of rules takes the place of rule_configs, and unknown providers are refused there too")
  func changeRules() throws {
    #expect(
      try service.call(
        "POST", "/policies",
        body: policy([
          "policy_id": "x", "rules": .null, "rule_configs": [["field": "b", "operator": "eq", "value": 2]],
        ])
      ).status == 201)
    let changed = try service.call(
      "PUT", "/policies/x", body: #"{"rules":[{"field":"c","operator":"eq","value":3}]}"#)
    #expect(changed.status == 200)
    #expect(try changed["rule_configs"] == .null)
    let refused = try service.call("PUT", "/policies/x", body: #"{"name":"new","providers":["nobody"]}"#)
    #expect(refused.status == 422)
    #expect(try service.call("GET", "/policies/x").json == changed.json)
  }

  @Test("A digest is switched on and off by PUT, and what it must not be is refused there too")
  func changeDigest() throws {
    #expect(try service.call("POST", "/policies", body: policy(["policy_id": "x"])).status == 201)
    for (minutes, shown) in [("15", 15), ("null", 0), ("1", 1), ("0", 0)] as [(String, JSONValue)] {
      #expect(try service.call("PUT", "/policies/x", body: "{\"digest_minutes\":\(minutes)}").status == 200)
      #expect(try service.call("GET", "/policies/x")["digest_minutes"] == shown)
    }
    let refused = try service.call("PUT", "/policies/x", body: #"{"digest_minutes":1.5}"#)
    #expect(refused.status == 422)
    #expect(try refused.pointers == ["/digest_minutes"])
  }

  @Test("Changes made at the same time do not undo each other")
  func concurrentChanges() throws {
    #expect(try service.call("POST", "/policies", body: policy(["policy_id": "x"])).status == 201)
    let (_, socket) = try service.worker("policies")
    let others = try (0..<3).map { _ in
      try Program("policies", environment: service.environment, input: .socket(socket))
    }
    let bodies = (0..<12).map { $0 % 2 == 0 ? "{\"throttle_minutes\":\($0 + 1)}" : "{\"description\":\"\($0)\"}" }
    let connections = try bodies.map { body in
      let connection = try socket.connect()
      let parameters = [
        "REQUEST_METHOD": "PUT", "REQUEST_URI": "/api/v1/alerts/policies/x", "HTTP_AUTHORIZATION": "Bearer admin",
        "CONTENT_LENGTH": String(body.utf8.count),
      ]
      try connection.send(FastCGIRecord.request(parameters, body: Array(body.utf8)))
      return connection
    }
    for connection in connections { #expect(try WebAnswer(cgi: connection.output()).status == 200) }
    let shown = try service.call("GET", "/policies/x")
    #expect(try shown["throttle_minutes"] != 0)
    #expect(try shown["description"] != .null)
    #expect(others.allSatisfy { $0.ending(within: 0) == nil })
  }
}
