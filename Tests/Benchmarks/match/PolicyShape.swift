import JSON

/// What the policies of a row ask. Each asks for something that no event has but the one that is planted for it; what else it
/// asks, many events have.
enum PolicyShape: String, CaseIterable {
  case equalities, mixed, contains, regex, nested

  /// The rule of the policy with a number, as a client would write it.
  func rule(_ number: Int, over events: Events) -> JSONValue {
    let rare = events.rare(number)
    let kind = condition(.kind, "eq", .string(events.pick(.kind, number)), events)
    let actor = condition(.actor, "eq", .string(rare.actor), events)
    switch self {
    case .equalities:
      return group("AND", [kind, actor])
    case .mixed:
      let roles = JSONValue.array([.string(events.pick(.role, number)), .string("role-\(number % 40)")])
      return group(
        "AND",
        [
          kind, condition(.role, "in", roles, events), condition(.size, "gte", size(number), events),
          condition(.address, "cidr", .string(rare.network), events),
          condition(.path, "starts_with", .string(rare.path), events),
        ])
    case .contains:
      return condition(.text, "contains", .string(rare.text.uppercased()), events, isCaseSensitive: false)
    case .regex:
      return condition(.text, "regex", .string(pattern(number, rare)), events)
    case .nested:
      return number % 10 < 3
        ? nested(number, rare, events) : group("AND", [kind, actor, condition(.size, "gte", size(number), events)])
    }
  }

  /// What an event must have to match only this policy.
  func planted(_ number: Int, over events: Events) -> [(place: Events.Place, value: JSONValue)] {
    let rare = events.rare(number)
    return [
      (.kind, .string(events.pick(.kind, number))), (.role, .string(events.pick(.role, number))),
      (.actor, .string(rare.actor)), (.address, .string(rare.address)), (.size, 1_000_000), (.path, .string(rare.path)),
      (.text, .string(rare.text)),
    ]
  }

  private func size(_ number: Int) -> JSONValue { .number(JSONNumber(number * 7919 % 100_000)) }

  /// Patterns as they are written: a literal with something around it, anchored or not, with case or without.
  private func pattern(_ number: Int, _ rare: Events.Rare) -> String {
    let common = rare.text.dropLast(rare.code.count + 1)
    // One in twenty has no literal that an index could look for.
    if number % 20 == 19 { return "-" + rare.code.map { "[\($0)_]" }.joined() + "$" }
    switch number % 4 {
    case 0: return "\\Q\(common)\\E-\(rare.code)$"
    case 1: return ".-\(rare.code)(\\s|$)"
    case 2: return "(?i)\\Q\(common)\\E.{0,8}\(rare.code.uppercased())"
    default: return "-(x\(rare.code)|\(rare.code))$"
    }
  }

  /// An OR or a NOT at the top or below it.
  private func nested(_ number: Int, _ rare: Events.Rare, _ events: Events) -> JSONValue {
    let actor = condition(.actor, "eq", .string(rare.actor), events)
    let otherRole = group("NOT", [condition(.role, "eq", .string("role-\(number % 40)"), events)])
    let large = condition(.size, "gte", size(number), events)
    switch number % 3 {
    case 0:
      let network = condition(.address, "cidr", .string(rare.network), events)
      let path = condition(.path, "starts_with", .string(rare.path), events)
      return group("OR", [group("AND", [otherRole, actor]), group("AND", [network, large, path])])
    case 1:
      let small = group("OR", [condition(.size, "lt", size(number), events), condition(.role, "eq", "none", events)])
      return group("AND", [group("NOT", [small]), otherRole, group("OR", [actor, actor])])
    default:
      let path = condition(.path, "ends_with", .string("-" + rare.code), events)
      return group("AND", [large, group("OR", [actor, group("AND", [path, otherRole])])])
    }
  }

  private func group(_ name: String, _ conditions: [JSONValue]) -> JSONValue {
    ["rule_type": "compound", "group_operator": .string(name), "conditions": .array(conditions)]
  }

  private func condition(
    _ place: Events.Place, _ name: String, _ value: JSONValue, _ events: Events, isCaseSensitive: Bool = true
  ) -> JSONValue {
    [
      "field": .string(events.kind.path(to: place)), "operator": .string(name), "value": value,
      "case_sensitive": .bool(isCaseSensitive),
    ]
  }
}
