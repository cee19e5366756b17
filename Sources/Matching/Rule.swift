import JSON

/// A named condition or group of conditions that policies share by its id.
package struct Rule: Sendable {
  /// The id that policies name; nil where the creator leaves it to the server.
  package let id: String?
  /// A rule that is switched off holds for no event, so a policy that needs it cannot match.
  package let isEnabled: Bool
  /// What the rule asks of an event, whether it is switched on or not.
  package let expression: Expression
  /// The rule as it is stored and shown: every member of the contract but the id and those that the server sets.
  package let document: JSONObject

  /// Behind `rules/` they are paths of their own, so that nobody could reach a rule of that id.
  private static let takenIDs = ["simple", "compound"]

  /// Reads a rule document, all of whose faults are thrown together.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.identifier("rule_id")
    if let id, Self.takenIDs.contains(id) { reader.fault("rule_id", "stands for another path; choose another") }
    let name = reader.requiredString("name", length: 1...255)
    let description = reader.string("description", length: 0...4000)
    isEnabled = reader.bool("enabled") ?? true
    reader.ignoreServerMembers()
    let logic = RuleLogic(reading: &reader, of: json)
    try reader.finish()
    expression = logic.expression
    let described: JSONObject = [
      "name": .string(name), "description": .string(orNull: description), "enabled": .bool(isEnabled),
    ]
    document = described.overlaid(with: logic.document)
  }

  /// This rule's stored document with a partial one set over it. A change of `rule_type` leaves nothing of the old logic.
  package static func document(_ stored: JSONObject, changedBy change: JSONObject) -> JSONObject {
    guard let type = change["rule_type"], type != stored["rule_type"] else { return stored.overlaid(with: change) }
    return RuleLogic.keys.reduce(into: stored) { $0[$1] = nil }.overlaid(with: change)
  }
}

/// What a policy says about one of its rules: the rule itself, or the id of a stored one.
enum RuleConfig: Sendable {
  case inline(Expression)
  case stored(id: String)

  /// Reads one element of `rule_configs`. An object with a `rule_id` and nothing to evaluate names a stored rule; an inline one
  /// may carry the descriptive members of a rule, of which `enabled` counts.
  init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    let id = reader.identifier("rule_id")
    if let id, !RuleLogic.keys.contains(where: reader.has) {
      try reader.finish()
      self = .stored(id: id)
      return
    }
    let isEnabled = reader.bool("enabled") ?? true
    reader.ignore(["name", "description"])
    reader.ignoreServerMembers()
    let logic = RuleLogic(reading: &reader, of: json)
    try reader.finish()
    self = .inline(isEnabled ? logic.expression : .never)
  }
}

/// The members of a rule that say what it asks of an event, apart from those that describe it.
struct RuleLogic {
  static let keys = ["rule_type"] + conditionKeys + groupKeys
  private static let conditionKeys = ["field", "operator", "value", "case_sensitive"]
  private static let groupKeys = ["conditions", "group_operator"]

  let expression: Expression
  private let given: JSONObject

  /// Reads the logic out of a rule; faults go to the reader, and then the expression is `.never`.
  init(reading reader: inout ObjectReader, of json: JSONValue) {
    given = json.object ?? JSONObject()
    expression = reader.merge { () throws(JSONFaults) in try Expression(json: json) } ?? .never
    reader.ignore(Self.keys)
  }

  /// All of ``keys``, null where the kind of rule has no such member, whatever was given for it.
  var document: JSONObject {
    let type = given["rule_type"]?.unlessNull
    let isCompound = type == "compound" || (type == nil && given["conditions"]?.unlessNull != nil)
    let own = isCompound ? Self.groupKeys : Self.conditionKeys
    let logic = JSONObject(own.compactMap { key in given[key]?.unlessNull.map { (key, $0) } })
    let absent = JSONObject(Self.keys.map { ($0, .null) })
    let defaults: JSONObject = isCompound ? ["rule_type": "compound"] : ["rule_type": "simple", "case_sensitive": true]
    return absent.overlaid(with: defaults).overlaid(with: logic)
  }
}

extension ObjectReader {
  /// An id that a client may choose: it stands in URLs, so its characters are few. Nil if it is absent, null or faulty.
  package mutating func identifier(_ key: String) -> String? {
    guard let id = string(key, length: 1...255) else { return nil }
    let isAllowed = id.utf8.allSatisfy { byte in
      Character(Unicode.Scalar(byte)).isASCIIAlphanumeric || "._-".utf8.contains(byte)
    }
    if !isAllowed || "._-".utf8.contains(id.utf8.first ?? 0) {
      fault(key, "must begin with a letter or digit and consist of letters, digits, '.', '_' and '-'")
    }
    return id
  }

  /// Accepts the members that the server sets, so that what was read can be changed and sent back.
  package mutating func ignoreServerMembers() { ignore(serverMembers) }
}

private let serverMembers = ["tenant_id", "created_by", "created_at", "updated_at"]

extension Character {
  fileprivate var isASCIIAlphanumeric: Bool { isASCII && (isLetter || isNumber) }
}
