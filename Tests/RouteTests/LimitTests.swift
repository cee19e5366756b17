import API
import Delivery
import Foundation
import JSON
import Store
import TestSupport
import Testing

@testable import Matching

/// The bounds of what comes in, as the README tells them and as the code has them.
@Suite("Limits") struct LimitTests {
  /// A bound of documents: what it is of, as the README has it, and whether something of that size is taken.
  struct Bound: Sendable, CustomTestStringConvertible {
    let what: String
    let most: Int
    let isTaken: @Sendable (Int) throws -> Bool

    var testDescription: String { what }
  }

  private static func isPolicy(_ members: JSONObject) -> Bool {
    let policy: JSONObject = [
      "name": "p", "rules": [["field": "a", "operator": "eq", "value": 1]], "message_template": "m",
      "summary_template": "s", "providers": [],
    ]
    return isRead { () throws(JSONFaults) in _ = try Policy(json: .object(policy.overlaid(with: members))) }
  }

  private static func isRule(_ operator: String, _ value: JSONValue, field: String = "a") -> Bool {
    let rule: JSONObject = ["name": "r", "field": .string(field), "operator": .string(`operator`), "value": value]
    return isRead { () throws(JSONFaults) in _ = try Rule(json: .object(rule)) }
  }

  private static func isGroup(_ group: JSONValue) -> Bool {
    guard let members = group.object else { return false }
    return isRead { () throws(JSONFaults) in _ = try Rule(json: .object(members.overlaid(with: ["name": "r"]))) }
  }

  private static func isSuppression(_ members: JSONObject) -> Bool {
    let suppression: JSONObject = ["policy_id": "p", "suppressed_until": "2999-01-01T00:00:00Z"]
    return isRead { () throws(JSONFaults) in _ = try Suppression(json: .object(suppression.overlaid(with: members))) }
  }

  private static func isProvider(_ type: String, _ config: JSONObject) -> Bool {
    let usual: JSONObject =
      type == "email"
      ? ["smtp_host": "h", "smtp_port": 25, "from_email": "a@b.c", "to_emails": ["a@b.c"]] : ["url": "https://b.c/"]
    let provider: JSONObject = [
      "name": "p", "provider_type": .string(type), "config": .object(usual.overlaid(with: config)),
    ]
    return isRead { () throws(JSONFaults) in _ = try Provider(json: .object(provider)) }
  }

  private static func isRead(_ read: () throws(JSONFaults) -> Void) -> Bool {
    do {
      try read()
      return true
    } catch {
      return false
    }
  }

  private static let condition: JSONValue = ["field": "a", "operator": "eq", "value": 1]

  private static func nested(_ depth: Int) -> JSONValue {
    (0..<depth).reduce(condition) { inner, _ in ["rule_type": "compound", "conditions": [inner]] }
  }

  private static func text(_ length: Int) -> JSONValue { .string(String(repeating: "a", count: length)) }
  private static func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }
  private static func list(_ count: Int, of value: JSONValue) -> JSONValue {
    .array(Array(repeating: value, count: count))
  }
  private static func names(_ count: Int) -> JSONValue { .array((0..<count).map { .string("p\($0)") }) }

  static let bounds = [
    Bound(what: "an id", most: 255) { isPolicy(["policy_id": text($0)]) },
    Bound(what: "a name", most: 255) { isPolicy(["name": text($0)]) },
    Bound(what: "a description, a reason", most: 4000) {
      let isDescription = isPolicy(["description": text($0)])
      return isDescription == isSuppression(["reason": text($0)]) && isDescription
    },
    Bound(what: "rules of a policy", most: 100) {
      let isRules = isPolicy(["rules": list($0, of: condition)])
      return isRules == isPolicy(["rule_configs": list($0, of: condition)]) && isRules
    },
    Bound(what: "providers of a policy", most: 100) { isPolicy(["providers": names($0)]) },
    Bound(what: "`throttle_by`", most: 10) { isPolicy(["throttle_by": names($0)]) },
    Bound(what: "`throttle_minutes`", most: 525_600) { isPolicy(["throttle_minutes": number($0)]) },
    Bound(what: "`max_alerts_per_hour`", most: 1_000_000) { isPolicy(["max_alerts_per_hour": number($0)]) },
    Bound(what: "`digest_minutes`", most: 10_080) { isPolicy(["digest_minutes": number($0)]) },
    Bound(what: "matchers of a suppression", most: 100) { isSuppression(["matchers": list($0, of: condition)]) },
    Bound(what: "conditions of a compound rule", most: Expression.conditionLimit) {
      isGroup(["rule_type": "compound", "conditions": list($0, of: condition)])
    },
    Bound(what: "nesting of a compound rule", most: Expression.depthLimit) { isGroup(nested($0)) },
    Bound(what: "a field path", most: FieldPath.lengthLimit) {
      isRule("eq", 1, field: String(repeating: "a", count: $0))
    },
    Bound(what: "a string that a condition compares with", most: Comparison.stringLimit) { isRule("eq", text($0)) },
    Bound(what: "values of a condition", most: Comparison.valueLimit) { isRule("in", list($0, of: 1)) },
    Bound(what: "a pattern", most: Comparison.patternLimit) { isRule("regex", text($0)) },
    Bound(what: "a template", most: 10_000) {
      let isMessage = isPolicy(["message_template": text($0)])
      return isMessage == isPolicy(["summary_template": text($0)]) && isMessage
    },
    Bound(what: "`subject_template`", most: 1000) { isProvider("email", ["subject_template": text($0)]) },
    Bound(what: "a URL", most: 2048) {
      isProvider("webhook", ["url": .string("https://b.c/" + String(repeating: "a", count: $0 - 12))])
    },
    Bound(what: "a secret", most: 4096) { isProvider("webhook", ["headers": ["X-Key": text($0)]]) },
    Bound(what: "headers of a webhook", most: 50) { count in
      isProvider("webhook", ["headers": .object(JSONObject((0..<count).map { ("X-\($0)", "x") }))])
    },
    Bound(what: "`timeout` of a webhook", most: Transfer.longestSeconds) {
      isProvider("webhook", ["timeout": number($0)])
    },
    Bound(what: "`retry_count`", most: 100) { isProvider("webhook", ["retry_count": number($0)]) },
    Bound(what: "recipients of an e-mail provider", most: 50) {
      isProvider("email", ["to_emails": list($0, of: "a@b.c")])
    },
  ]

  /// Bounds that have tests of their own, by the numbers that the code has.
  static let numbers = [
    "one event": ["\(Intake.eventLimit >> 20) MiB", "\(JSONValue.depthLimit) deep"],
    "the alerts that one body may come to, in text, each with 1 KiB at least": ["\(Intake.matchLimit >> 20) MiB"],
    "any other body": ["\(Route.usualBodyLimit >> 20) MiB", "\(JSONValue.depthLimit) deep"],
    "policies of a tenant": [told(TenantLimit.policies)], "rules of a tenant": [told(TenantLimit.rules)],
    "providers of a tenant": [told(TenantLimit.providers)],
    "suppressions of a tenant that are not over": [told(TenantLimit.suppressions)],
    "keys of a tenant that work": [told(TenantLimit.keys), told(TenantLimit.rotatedKeys)],
    "`overlap_seconds`": [told(KeyRotation.longestOverlap)],
    "a rendered title, message, summary": ["500", told(PolicySet.textLimit)],
    "listed alerts, listed rejects of a batch": [told(Intake.listLimit)],
    "a receiver's answer": ["\(HTTPReply.bodyLimit >> 10) KiB kept"],
  ]

  /// What nginx or a program's own file says.
  static let settings = [
    "a body of `process-event`": ("nginx/tocsin.conf.template", "client_max_body_size 16m;"),
    "the request line, each header": ("nginx/tocsin.conf.template", "large_client_header_buffers 4 8k;"),
    "the head of a request": ("nginx/tocsin.conf.template", "client_header_timeout 10s;"),
    "a pause in a body": ("nginx/tocsin.conf.template", "client_body_timeout 20s;"),
    "requests of one address at once": ("nginx/tocsin.conf.template", "limit_conn tocsin_clients 512;"),
    "requests of one address without a key": ("nginx/tocsin.conf.template", "rate=100r/s;"),
    "requests of a key, and of a tenant": ("deploy/tocsin.env", "ALERTING_RATE_LIMIT_KEY=0"),
    "a token": ("Sources/Tokens/TokenRules.swift", "lengthLimit = 8192"),
    "entries of a page": ("Sources/API/Query.swift", #""per_page", in: 1...100"#),
    "`Prefer: wait`": ("Sources/Routes/process-event/Answer.swift", "waitLimit = 30"),
    "networks of a key": ("Sources/Routes/keys/KeyBody.swift", #""allowed_cidrs", count: 0...100"#),
    "a list of deliveries, or of the audit log": ("Sources/Store/Ledger.swift", "listed = 100_000"),
    "one call of `deliveries/retry`": ("Sources/Store/LedgerRetry.swift", "LIMIT 1000\n"),
    "listed faults of a document": ("Sources/API/Problem.swift", "faultLimit = 100\n"),
    "a message to a syslog server": ("Sources/Jobs/export-audit/AuditMessage.swift", "sizeLimit = 8000\n"),
    "a line of the log": ("Sources/Host/Log.swift", "lengthLimit = 4096"),
  ]

  private static func told(_ number: Int) -> String {
    number.formatted(.number.locale(Locale(identifier: "en_US")))
  }

  private static func read(_ path: String) throws -> String {
    try String(contentsOfFile: TestDatabase.checkout + "/" + path, encoding: .utf8)
  }

  /// The rows of the README's table: what is bounded, and its bound.
  private static func rows() throws -> [String: String] {
    let lines = try read("README.md").split(separator: "\n")
    let head = try #require(lines.firstIndex { $0 == "| what | bound | past it |" })
    let rows = lines[(head + 2)...].prefix { $0.hasPrefix("|") }.map { row in
      row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
    }
    return Dictionary(uniqueKeysWithValues: rows.map { ($0[0], $0[1]) })
  }

  @Test("What is as large as the README allows is taken, and what is larger by one is not", arguments: bounds)
  func documents(bound: Bound) throws {
    #expect(try bound.isTaken(bound.most))
    #expect(try !bound.isTaken(bound.most + 1))
    let told = try #require(try Self.rows()[bound.what])
    #expect(told.hasPrefix(Self.told(bound.most)), "\(told)")
  }

  @Test("The README has the numbers of the code, and of what stands in front of it")
  func table() throws {
    let rows = try Self.rows()
    for (what, numbers) in Self.numbers {
      let told = try #require(rows[what])
      #expect(numbers.allSatisfy(told.contains), "\(what): \(told), \(numbers)")
    }
    for (what, (path, setting)) in Self.settings {
      #expect(rows[what] != nil, "\(what)")
      #expect(try Self.read(path).contains(setting), "\(what): \(path)")
    }
    let known = Set(Self.bounds.map(\.what)).union(Self.numbers.keys).union(Self.settings.keys)
    #expect(Set(rows.keys) == known)
  }
}
