import JSON

/// Conditions combined by AND, OR and NOT: what a policy asks of an event.
package indirect enum Expression: Sendable {
  case condition(Condition)
  /// Every one of them holds; of none, always.
  case all([Expression])
  /// At least one of them holds; of none, never.
  case any([Expression])
  /// It does not hold: plain negation, so also true where the event lacks the field.
  case not(Expression)
  /// Holds for no event.
  case never

  /// The deepest nesting of groups that is read.
  package static let depthLimit = 8
  /// The most conditions that one rule may have, counted through all its groups.
  package static let conditionLimit = 500

  /// Reads a simple rule (a condition) or a compound one: `{rule_type: "compound", conditions: […], group_operator}`, where
  /// conditions nest and `"NOT"` takes exactly one; AND where no operator is given. Without a `rule_type`, a rule that has
  /// `conditions` is compound. Other members are passed over. Throws every fault.
  package init(json: JSONValue) throws(JSONFaults) {
    self = try Self.read(json, depth: 0)
    guard conditionCount <= Self.conditionLimit else {
      throw JSONFaults("must have at most \(Self.conditionLimit) conditions, not \(conditionCount)")
    }
  }

  /// How many conditions it has, counted through all groups.
  package var conditionCount: Int {
    switch self {
    case .condition: 1
    case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.conditionCount }
    case .not(let part): part.conditionCount
    case .never: 0
    }
  }

  private enum RuleType: String, CaseIterable {
    case simple, compound
  }

  private enum GroupOperator: String, CaseIterable {
    case and = "AND"
    case or = "OR"
    case not = "NOT"
  }

  private static func read(_ json: JSONValue, depth: Int) throws(JSONFaults) -> Expression {
    var reader = try ObjectReader(json, acceptsOthers: true)
    let type = reader.choice("rule_type", of: RuleType.self)
    if type == nil, reader.value("rule_type") != nil { try reader.finish() }
    let isCompound = type.map { $0 == .compound } ?? (reader.value("conditions") != nil)
    return isCompound ? try group(reader, depth: depth + 1) : .condition(try Condition(json: json))
  }

  private static func group(_ rule: ObjectReader, depth: Int) throws(JSONFaults) -> Expression {
    guard depth <= depthLimit else {
      throw JSONFaults("is nested deeper than \(depthLimit) groups")
    }
    var reader = rule
    reader.require("conditions")
    let parts = reader.elements("conditions", count: 1...conditionLimit) { (part) throws(JSONFaults) in
      try read(part, depth: depth)
    }
    let groupOperator = reader.choice("group_operator", of: GroupOperator.self) ?? .and
    if groupOperator == .not, let parts, parts.count != 1 {
      reader.fault("conditions", "must have exactly one element under NOT; put several into a group of their own")
    }
    try reader.finish()
    switch (groupOperator, parts ?? []) {
    case (.and, let parts): return .all(parts)
    case (.or, let parts): return .any(parts)
    case (.not, let parts): return .not(.all(parts))
    }
  }
}
