import JSON
import Matching
import Testing

@Suite("Policy documents") struct PolicyTests {
  static let minimal: JSONObject = [
    "name": "Logins", "rules": [["field": "type", "operator": "eq", "value": "login"]],
    "message_template": "{user} logged in", "summary_template": "{user}", "providers": [],
  ]

  @Test("A policy with only what is required has the defaults of the contract")
  func defaults() throws {
    let policy = try Policy(json: .object(Self.minimal))
    #expect(policy.isEnabled && policy.severity == .medium && policy.timeWindow == nil)
    #expect(policy.throttleMinutes == 0 && policy.maxAlertsPerHour == 10 && policy.throttleBy.isEmpty)
    #expect(policy.document["severity"] == "medium")
    #expect(policy.document["match_all"] == true)
    #expect(policy.document["description"] == .null)
    #expect(policy.document["rules"] == Self.minimal["rules"])
  }

  @Test("A stored document reads back as the same policy")
  func roundTrip() throws {
    let window: JSONValue = ["start_time": "22:00", "end_time": "06:00", "timezone": "Europe/Berlin"]
    let given = Self.minimal.overlaid(with: ["time_window": window, "throttle_by": ["user.name"], "severity": "high"])
    let policy = try Policy(json: .object(given))
    let again = try Policy(json: .object(policy.document))
    #expect(again.document == policy.document)
    #expect(policy.timeWindow?.days == [0, 1, 2, 3, 4, 5, 6])
  }

  static let faulty: [(key: String, value: JSONValue, pointer: String)] = [
    ("name", .null, "/name"), ("name", "", "/name"), ("rules", [], "/rules"),
    ("rules", .null, "/rules"),
    ("rules", [["field": "f", "operator": "like", "value": "x"]], "/rules/0/operator"),
    ("severity", "urgent", "/severity"), ("throttle_minutes", -1, "/throttle_minutes"),
    ("max_alerts_per_hour", "ten", "/max_alerts_per_hour"), ("providers", "pager", "/providers"),
    ("providers", ["a", "a"], "/providers"), ("colour", "red", "/colour"), ("policy_id", "../etc", "/policy_id"),
    ("name", "a\u{0}b", "/name"),
    ("time_window", ["start_time": "24:00", "end_time": "06:00"], "/time_window/start_time"),
    ("time_window", ["start_time": "8:00", "end_time": "06:00"], "/time_window/start_time"),
    (
      "time_window", ["start_time": "08:00", "end_time": "06:00", "days_of_week": [7]], "/time_window/days_of_week/0"
    ),
    (
      "rule_configs", [["rule_type": "compound", "conditions": [], "group_operator": "AND"]],
      "/rule_configs/0/conditions"
    ),
  ]

  @Test("A fault is told with its place", arguments: faulty)
  func faults(key: String, value: JSONValue, pointer: String) throws {
    let error = try #require(throws: JSONFaults.self) {
      try Policy(json: .object(Self.minimal.overlaid(with: JSONObject([(key, value)]))))
    }
    #expect(error.faults.map(\.pointer) == [pointer])
  }

  @Test("All faults are told at once")
  func allFaults() throws {
    let error = try #require(throws: JSONFaults.self) { try Policy(json: ["rules": 5, "enabled": "yes"]) }
    let places = Set(error.faults.map(\.pointer))
    #expect(places == ["/rules", "/enabled", "/name", "/message_template", "/summary_template", "/providers"])
  }

  @Test("Given both, rule_configs win, and a change of rules alone takes their place")
  func precedence() throws {
    let configs: JSONValue = [["rule_id": "admins"], ["field": "a", "operator": "exists", "value": true]]
    let policy = try Policy(json: .object(Self.minimal.overlaid(with: ["rule_configs": configs])))
    #expect(policy.ruleIDs == ["admins"])
    let rules: JSONValue = [["field": "b", "operator": "eq", "value": 1]]
    let changed = Policy.document(policy.document, changedBy: ["rules": rules])
    #expect(try Policy(json: .object(changed)).ruleIDs == [])
    #expect(changed["rules"] == rules)
  }

  @Test("Rules beside rule_configs do not count, but are shown, so they have to be rules")
  func rulesBesideConfigs() throws {
    let both: JSONObject = ["rule_configs": [["rule_id": "r"]], "rules": []]
    #expect(try Policy(json: .object(Self.minimal.overlaid(with: both))).document["rules"] == [])
    for (rules, pointer) in [(5, "/rules"), ([["field": "a"]], "/rules/0/operator")] as [(JSONValue, String)] {
      let error = #expect(throws: JSONFaults.self) {
        try Policy(json: .object(Self.minimal.overlaid(with: both).overlaid(with: ["rules": rules])))
      }
      #expect(error?.faults.map(\.pointer) == [pointer])
    }
  }

  @Test("A stored rule that is missing or switched off never holds; one that is on does")
  func storedRules() throws {
    let policy = try Policy(json: .object(Self.minimal.overlaid(with: ["rule_configs": [["rule_id": "r"]]])))
    let rule: JSONObject = ["name": "r", "field": "a", "operator": "eq", "value": 1]
    let isOn = try Rule(json: .object(rule))
    let isOff = try Rule(json: .object(rule.overlaid(with: ["enabled": false])))
    let event = Array(#"{"a":1}"#.utf8)
    for (rules, holds) in [([:], false), (["r": isOn], true), (["r": isOff], false)] {
      #expect(try Matcher([policy.expression(rules: rules)]).match(event.span).isEmpty != holds)
    }
  }
}

@Suite("Rule documents") struct RuleTests {
  @Test("A simple rule keeps the type of its value and shows every member of the contract")
  func simple() throws {
    let rule = try Rule(json: ["name": "n", "field": "f", "operator": "gt", "value": 1])
    #expect(rule.document["value"] == 1)
    #expect(rule.document["rule_type"] == "simple")
    #expect(rule.document["case_sensitive"] == true)
    #expect(rule.document["conditions"] == .null)
    #expect(try Rule(json: .object(rule.document)).document == rule.document)
  }

  @Test("A compound rule nests, and its faults are told with their place")
  func compound() throws {
    let group: JSONValue = [
      "name": "n", "rule_type": "compound", "group_operator": "OR",
      "conditions": [
        ["field": "a", "operator": "eq", "value": 1],
        [
          "rule_type": "compound", "group_operator": "NOT",
          "conditions": [["field": "b", "operator": "regex", "value": "("]],
        ],
      ],
    ]
    let error = try #require(throws: JSONFaults.self) { try Rule(json: group) }
    #expect(error.faults.map(\.pointer) == ["/conditions/1/conditions/0/value"])
  }
}

@Suite("Suppression documents") struct SuppressionTests {
  @Test("A suppression of all policies without a matcher, or one that ends before it starts, is refused")
  func refused() throws {
    let all = try #require(throws: JSONFaults.self) {
      try Suppression(json: ["suppressed_until": "2026-01-01T00:00:00Z"])
    }
    #expect(all.faults.map(\.pointer) == ["/matchers"])
    let backwards = try #require(throws: JSONFaults.self) {
      try Suppression(json: [
        "policy_id": "p", "starts_at": "2026-01-02T00:00:00Z", "suppressed_until": "2026-01-01T00:00:00Z",
      ])
    }
    #expect(backwards.faults.map(\.pointer) == ["/suppressed_until"])
  }
}
