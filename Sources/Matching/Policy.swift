import JSON

/// A tenant's wish to be alerted: what an event must be like, when and how often it may alert, with which words, and whom.
///
/// Reading a document is the only way to make one, so a policy that exists is valid. Whether its providers and stored rules
/// exist, and its time zone, is for the store to say.
package struct Policy: Sendable {
  /// The id; nil where the creator leaves it to the server.
  package let id: String?
  /// What people call it, and the value of `{policy_name}` in its templates.
  package let name: String
  /// A policy that is switched off matches nothing.
  package let isEnabled: Bool
  /// How grave its alerts are.
  package let severity: Severity
  /// The words of an alert's title and message.
  package let messageTemplate: Template
  /// The words of an alert's summary.
  package let summaryTemplate: Template
  /// When it may alert; nil is always.
  package let timeWindow: TimeWindow?
  /// The least minutes between two alerts of one throttle key; 0 is off.
  package let throttleMinutes: Int
  /// The most alerts of one throttle key in a clock hour; 0 is no cap.
  package let maxAlertsPerHour: Int
  /// After how many minutes it is told what throttle and cap held back; 0 is never.
  package let digestMinutes: Int
  /// The fields whose values make the throttle key.
  package let throttleBy: [FieldPath]
  /// The ids of the providers that its alerts go to, each once.
  package let providers: [String]

  private let description: String?
  private let rules: [RuleConfig]
  private let matchesAll: Bool
  /// The members `rules` and `rule_configs` as they were given.
  private let given: (rules: JSONValue?, ruleConfigs: JSONValue?)

  /// The policy as it is stored and shown: every member of the contract but the id and those that the server sets.
  package var document: JSONObject {
    [
      "name": .string(name), "description": .string(orNull: description), "enabled": .bool(isEnabled),
      "rules": given.rules?.unlessNull ?? [], "rule_configs": given.ruleConfigs ?? .null,
      "match_all": .bool(matchesAll), "severity": .string(severity.rawValue),
      "message_template": .string(messageTemplate.source), "summary_template": .string(summaryTemplate.source),
      "time_window": timeWindow.map { .object($0.document) } ?? .null,
      "throttle_minutes": .number(JSONNumber(throttleMinutes)),
      "max_alerts_per_hour": .number(JSONNumber(maxAlertsPerHour)),
      "digest_minutes": .number(JSONNumber(digestMinutes)),
      "throttle_by": .array(throttleBy.map { .string($0.text) }), "providers": .array(providers.map(JSONValue.string)),
    ]
  }

  /// The ids of the stored rules that it uses, each once.
  package var ruleIDs: [String] {
    let ids = rules.compactMap { if case .stored(let id) = $0 { id } else { nil } }
    return Set(ids).sorted()
  }

  /// What the policy asks of an event, with the stored rules set in. A rule that is not there, or switched off, never holds.
  package func expression(rules stored: [String: Rule]) -> Expression {
    let expressions = rules.map { config -> Expression in
      switch config {
      case .inline(let expression): expression
      case .stored(let id): stored[id].map { $0.isEnabled ? $0.expression : .never } ?? .never
      }
    }
    return matchesAll ? .all(expressions) : .any(expressions)
  }

  /// Reads a policy document, all of whose faults are thrown together.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.identifier("policy_id")
    name = reader.requiredString("name", length: 1...255)
    description = reader.string("description", length: 0...4000)
    isEnabled = reader.bool("enabled") ?? true
    rules = Self.rules(&reader)
    matchesAll = reader.bool("match_all") ?? true
    severity = reader.choice("severity") ?? .medium
    messageTemplate = Template(reader.requiredString("message_template", length: 1...10_000))
    summaryTemplate = Template(reader.requiredString("summary_template", length: 1...10_000))
    timeWindow = reader.nested("time_window", TimeWindow.init(json:))
    throttleMinutes = reader.integer("throttle_minutes", in: 0...525_600) ?? 0
    maxAlertsPerHour = reader.integer("max_alerts_per_hour", in: 0...1_000_000) ?? 10
    digestMinutes = reader.integer("digest_minutes", in: 0...10_080) ?? 0
    throttleBy = reader.elements("throttle_by", count: 0...10, FieldPath.init(json:)) ?? []
    reader.require("providers")
    providers = reader.strings("providers", count: 0...100) ?? []
    if Set(providers).count < providers.count { reader.fault("providers", "must not name a provider twice") }
    given = (json.object?["rules"], json.object?["rule_configs"])
    reader.ignoreServerMembers()
    try reader.finish()
  }

  /// `rule_configs` if it is given, else `rules`; one of them with something in it. Rules that do not count are shown, and so
  /// have to be rules all the same.
  private static func rules(_ reader: inout ObjectReader) -> [RuleConfig] {
    let configs = reader.elements("rule_configs", count: 1...100, RuleConfig.init(json:))
    let hasConfigs = reader.value("rule_configs") != nil
    if !hasConfigs, reader.value("rules") == nil {
      reader.fault("rules", "is required, unless rule_configs is given")
    }
    let conditions = reader.elements("rules", count: (hasConfigs ? 0 : 1)...100) { (value) throws(JSONFaults) in
      RuleConfig.inline(.condition(try Condition(json: value)))
    }
    return (hasConfigs ? configs : conditions) ?? []
  }

  /// This policy's stored document with a partial one set over it. New `rules` without `rule_configs` take the place of the old
  /// `rule_configs`, which would otherwise still win.
  package static func document(_ stored: JSONObject, changedBy change: JSONObject) -> JSONObject {
    var changed = stored.overlaid(with: change)
    if change["rules"] != nil, change["rule_configs"] == nil { changed["rule_configs"] = .null }
    return changed
  }
}
