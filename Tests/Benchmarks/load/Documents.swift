import Host
import JSON
import Matching
import Postgres
import TestSupport

/// The documents of a tenant's policies, as the API stores them.
struct Documents {
  enum Kind: String, CaseIterable {
    /// A value of `event_type` out of fifty and one of `user.name` for each policy.
    case equalities = "two equalities"
    /// The detection rules of `audit_policies.ndjson` in turns, each policy for an account of its own.
    case rules = "audit rules"
    /// A pattern for each policy, such as people write: a literal with something around it.
    case patterns = "regex"
  }

  private let documents: [JSONObject]

  init(_ kind: Kind, count: Int) throws {
    switch kind {
    case .equalities:
      documents = try (0..<count).map { number in
        try Self.document(
          "Policy \(number)",
          [
            "rules": [
              Self.equality("event_type", .string("type-\(number % 50)")),
              Self.equality("user.name", .string("user-\(number)")),
            ]
          ])
      }
    case .patterns:
      documents = try (0..<count).map { number in
        try Self.document("Policy \(number)", ["rules": [Self.pattern(number)]])
      }
    case .rules:
      let rules = try Self.auditRules()
      documents = try (0..<count).map { number in
        let (name, policy) = rules[number % rules.count]
        let rule: JSONValue = [
          "rule_type": "compound", "conditions": policy["rules"] ?? .null,
          "group_operator": policy["match_all"] == true ? "AND" : "OR",
        ]
        let account = Self.equality("recipientAccountId", .string("\(100_000_000_000 + number)"))
        return try Self.document("\(name) \(number)", ["rule_configs": [rule, account]])
      }
    }
  }

  /// The document that the API makes of a policy with these rules.
  private static func document(_ name: String, _ rules: JSONObject) throws -> JSONObject {
    let request: JSONObject = [
      "name": .string(name), "severity": "high", "throttle_minutes": 15, "throttle_by": ["user.name"],
      "message_template": "{user.name} did {event_type} from {source_ip}: {policy_name} ({severity})",
      "summary_template": "{policy_name} by {user.name}", "providers": ["on-call", "audit-channel"],
    ]
    return try Policy(json: .object(request.overlaid(with: rules))).document
  }

  private static func pattern(_ number: Int) -> JSONValue {
    let forms = [
      "^arn:aws:iam::\\d{12}:role/role-\(number)$", "(?i)user-\(number)@[a-z.]+\\.example$",
      "/bin/(ba|z)?sh -c .*\(number)", "\\bsession-\(number)\\b",
    ]
    return ["field": "user.name", "operator": "regex", "value": .string(forms[number % forms.count])]
  }

  private static func equality(_ field: JSONValue, _ value: JSONValue) -> JSONValue {
    ["field": field, "operator": "eq", "value": value]
  }

  /// Every rule of the shared data once, with its name.
  private static func auditRules() throws -> [(name: String, policy: JSONObject)] {
    var names: Set<String> = []
    return try Self.lines(of: "audit_policies.ndjson").compactMap { line in
      let object = try JSONValue(parsing: line).object
      guard let name = object?["rule"]?.string, names.insert(name).inserted else { return nil }
      return (name, object?["policy"]?.object ?? JSONObject())
    }
  }

  /// The lines of a file of `shared/data`, which lies beside the checkout.
  static func lines(of file: String) throws -> [ArraySlice<UInt8>] {
    try File.read(TestDatabase.checkout + "/../shared/data/" + file).split(separator: 0x0A)
  }

  /// Makes a tenant with these policies.
  func store(tenant: String, in database: TestDatabase) throws {
    let connection = try database.connect()
    try connection.run(Statement("tenant", "INSERT INTO tenants (tenant_id) VALUES ($1)"), .text(tenant))
    try connection.run(
      Statement(
        "policies",
        """
        INSERT INTO alert_policies (
          tenant_id, policy_id, document, enabled, severity, rule_ids, provider_ids, throttle_minutes,
          max_alerts_per_hour, created_by
        )
        SELECT $1, id, document, true, 'high', '{}', '{}', 15, 10, 'benchmark'
        FROM unnest($2, $3) AS given (id, document)
        """),
      .text(tenant), .texts(documents.map { _ in Identifier.make("policy-") }), .jsons(documents.map(\.json)))
  }
}
