import Foundation
import JSON
import Matching
import Testing

/// Real audit events through nginx, against detection rules that people run; `shared/data/README.md` tells where both are from.
@Suite("Real audit events")
struct RealEventsTests {
  /// A line of `audit_policies.ndjson`: a rule, an event, and what the rule's author says about the two.
  struct Case {
    let id: String
    /// The same for lines with the same rule.
    let policyID: String
    let policy: JSONObject
    let event: JSONObject
    let isMatch: Bool
  }

  @Test("Each event alerts for the rule whose author says so, and for no rule whose author denies it")
  func authors() async throws {
    let (instance, cases) = (try await Instance.shared, try Self.cases())
    let key = try await instance.makeKey(tenant: "authors")
    try await Self.create(Self.policies(of: cases), on: instance, key: key)
    let lines = cases.map { test in
      JSONValue.object(test.event.overlaid(with: ["event_id": .string(test.id)])).json + [0x0A]
    }
    let answer = try await Self.post(lines: lines.flatMap { $0 }, on: instance, key: key)
    #expect(answer["received"] as? Int == cases.count)
    #expect((answer["rejected"] as? [Any])?.isEmpty == true)
    let alerts = try await Self.alerts(on: instance, key: key)
    let raised = Set(alerts.map { "\($0["policy_id"] ?? "") \($0["event_id"] ?? "")" })
    let wrong = cases.filter { raised.contains("\($0.policyID) \($0.id)") != $0.isMatch }.map(\.id)
    #expect(wrong == [])
    #expect(raised.count == answer["triggered_total"] as? Int)
  }

  @Test("Every real event is taken in, and each policy raises for exactly those that it meets")
  func realEvents() async throws {
    let (instance, cases) = (try await Instance.shared, try Self.cases())
    let key = try await instance.makeKey(tenant: "real-events")
    let policies = Self.policies(of: cases)
    try await Self.create(policies, on: instance, key: key)
    let body = try Self.data("events.ndjson")
    let events = body.split(separator: 0x0A).map { Array($0) }
    let answer = try await Self.post(lines: Array(body), on: instance, key: key)
    #expect(answer["received"] as? Int == events.count)
    #expect((answer["rejected"] as? [Any])?.isEmpty == true)

    let ids = policies.map(\.id)
    let matcher = Matcher(try policies.map { try Policy(json: .object($0.document)).expression(rules: [:]) })
    let met = try events.map { try matcher.match($0.span) }
    #expect(answer["matched"] as? Int == met.count { !$0.isEmpty })
    let expected = met.flatMap { $0 }.reduce(into: [:]) { $0[ids[$1], default: 0] += 1 }
    #expect(expected.count > 10)
    let alerts = try await Self.alerts(on: instance, key: key)
    let raised = alerts.reduce(into: [:]) { $0["\($1["policy_id"] ?? "")", default: 0] += 1 }
    #expect(raised == expected)
    #expect(alerts.allSatisfy { $0["title"] as? String == "Rule of \($0["policy_id"] ?? "")" })
  }

  private static func data(_ name: String) throws -> Data {
    try Data(contentsOf: Checkout.top.deletingLastPathComponent().appending(path: "shared/data/\(name)"))
  }

  private static func cases() throws -> [Case] {
    var ids: [String: String] = [:]
    return try data("audit_policies.ndjson").split(separator: 0x0A).map { line in
      let line = try #require(try JSONValue(parsing: line).object)
      let policy = try #require(line["policy"]?.object)
      let id = try #require(line["id"]?.string)
      let text = String(decoding: policy.json, as: UTF8.self)
      let policyID = ids[text, default: "rule-\(id)"]
      ids[text] = policyID
      return Case(
        id: id, policyID: policyID, policy: policy, event: try #require(line["event"]?.object),
        isMatch: line["expected"] == true)
    }
  }

  private static func policies(of cases: [Case]) -> [(id: String, document: JSONObject)] {
    var seen: Set<String> = []
    return cases.filter { seen.insert($0.policyID).inserted }.map { test in
      let words: JSONObject = [
        "policy_id": .string(test.policyID), "name": .string(test.policyID), "summary_template": "Real events",
        "message_template": "Rule of {policy_name}", "providers": [], "max_alerts_per_hour": 0,
      ]
      return (test.policyID, words.overlaid(with: test.policy))
    }
  }

  private static func create(
    _ policies: [(id: String, document: JSONObject)], on instance: Instance, key: String
  ) async throws {
    for (id, document) in policies {
      let answer = try await instance.send(
        "/api/v1/alerts/policies", method: "POST", key: key, body: Data(document.json))
      try #require(answer.status == 201, "\(id): \(answer.text)")
    }
  }

  private static func post(lines: [UInt8], on instance: Instance, key: String) async throws -> [String: Any] {
    let answer = try await instance.send(
      "/api/v1/alerts/process-event", method: "POST", key: key, type: "application/x-ndjson", body: Data(lines))
    try #require(answer.status == 200, "\(answer.text.prefix(500))")
    return try answer.json
  }

  /// Every alert of a tenant, page by page.
  private static func alerts(on instance: Instance, key: String) async throws -> [[String: Any]] {
    var alerts: [[String: Any]] = []
    for page in 1... {
      let answer = try await instance.send("/api/v1/alerts/alerts?per_page=100&page=\(page)", key: key).json
      let elements = try #require(answer["alerts"] as? [[String: Any]])
      alerts += elements
      if elements.count < 100 { break }
    }
    return alerts
  }
}
