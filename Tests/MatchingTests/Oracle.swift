import JSON

@testable import Matching

/// What the contract says, as plainly as it can be written: slow, and the measure of the matcher.
enum Oracle {
  static func holds(_ expression: Expression, for event: JSONValue) -> Bool {
    switch expression {
    case .condition(let condition): holds(condition, for: event)
    case .all(let parts): parts.allSatisfy { holds($0, for: event) }
    case .any(let parts): parts.contains { holds($0, for: event) }
    case .not(let part): !holds(part, for: event)
    case .never: false
    }
  }

  private static func holds(_ condition: Condition, for event: JSONValue) -> Bool {
    let values = values(at: Array(condition.field.text.utf8), in: event)
    let isThere = values.contains { $0 != .null }
    let fold = condition.isCaseSensitive ? { $0 } : { CaseFolding.folded($0 as String) }
    func isAny(_ test: (JSONValue) -> Bool) -> Bool { values.contains { isAnyElement(of: $0, test) } }
    func equals(_ wanted: JSONValue) -> Bool { isAny { folded($0, fold) == folded(wanted, fold) } }
    func isOneOf() -> Bool { elements(condition.value).contains { $0 != .null && equals($0) } }
    switch condition.operator {
    case .exists: return .bool(isThere) == condition.value
    case .eq: return condition.value == .null && !isThere || equals(condition.value)
    case .ne: return isThere && !equals(condition.value)
    case .in: return isOneOf()
    case .notIn: return isThere && !isOneOf()
    case .contains:
      return values.contains { value in
        if let text = value.string { return condition.value.string.map { fold(text).has(fold($0)) } ?? false }
        return condition.value != .null
          && elements(value).contains { isAnyElement(of: $0) { folded($0, fold) == folded(condition.value, fold) } }
      }
    case .startsWith, .endsWith:
      let part = Array(fold(condition.value.string ?? "").utf8)
      return isAny { value in
        let bytes = value.string.map { Array(fold($0).utf8) }
        return bytes.map {
          (condition.operator == .startsWith ? $0.prefix(part.count) : $0.suffix(part.count)) == part[...]
        } ?? false
      }
    case .gt: return isAny { order($0, condition.value, fold).map { $0 > 0 } ?? false }
    case .gte: return isAny { order($0, condition.value, fold).map { $0 >= 0 } ?? false }
    case .lt: return isAny { order($0, condition.value, fold).map { $0 < 0 } ?? false }
    case .lte: return isAny { order($0, condition.value, fold).map { $0 <= 0 } ?? false }
    case .regex:
      guard case .matches(let pattern) = condition.comparison else { return false }
      return isAny { $0.string.map { Array($0.utf8).withUnsafeBufferPointer { pattern.matches($0) } } ?? false }
    case .cidr:
      let networks = (elements(condition.value) + [condition.value]).compactMap { $0.string.flatMap(Network.init) }
      return isAny {
        $0.string.flatMap { Address($0.utf8) }.map { at in networks.contains { $0.contains(at) } } ?? false
      }
    }
  }

  private static func values(at path: [UInt8], in value: JSONValue) -> [JSONValue] {
    if case .array(let elements) = value { return elements.flatMap { values(at: path, in: $0) } }
    return (value.object?.members ?? []).flatMap { member -> [JSONValue] in
      let key = Array(member.key.utf8)
      if key == path { return [member.value] }
      return path.starts(with: key + [0x2E]) ? values(at: Array(path[(key.count + 1)...]), in: member.value) : []
    }
  }

  private static func isAnyElement(of value: JSONValue, _ test: (JSONValue) -> Bool) -> Bool {
    test(value) || elements(value).contains { isAnyElement(of: $0, test) }
  }

  private static func elements(_ value: JSONValue) -> [JSONValue] {
    if case .array(let all) = value { all } else { [] }
  }

  private static func folded(_ value: JSONValue, _ fold: (String) -> String) -> JSONValue {
    switch value {
    case .string(let text): .string(fold(text))
    case .array(let elements): .array(elements.map { folded($0, fold) })
    case .object(let object): .object(JSONObject(object.members.map { ($0.key, folded($0.value, fold)) }))
    default: value
    }
  }

  private static func order(_ left: JSONValue, _ right: JSONValue, _ fold: (String) -> String) -> Int? {
    if let left = left.string, let right = right.string {
      let (left, right) = (fold(left).unicodeScalars.map(\.value), fold(right).unicodeScalars.map(\.value))
      return left == right ? 0 : left.lexicographicallyPrecedes(right) ? -1 : 1
    }
    guard let left = number(left), let right = number(right) else { return nil }
    return left == right ? 0 : left < right ? -1 : 1
  }

  private static func number(_ value: JSONValue) -> JSONNumber? {
    if case .number(let number) = value { return number }
    guard let text = value.string else { return nil }
    let ascii = text.unicodeScalars.map {
      $0.properties.numericType == .decimal ? "\(Int($0.properties.numericValue ?? 0))" : "\($0)"
    }
    let spelling = ascii.joined()
    let digits = spelling.drop { "+-".contains($0) }
    guard spelling.count - digits.count <= 1, let first = digits.first, first.isNumber else { return nil }
    let stripped = digits.drop { $0 == "0" }
    let whole = stripped.first?.isNumber == true ? String(stripped) : "0" + stripped
    return JSONNumber((spelling.hasPrefix("-") ? "-" : "") + whole)
  }
}

extension String {
  /// Whether a text stands in this one, byte by byte.
  func has(_ part: String) -> Bool {
    let (bytes, part) = (Array(utf8), Array(part.utf8))
    return bytes.count >= part.count
      && (0...bytes.count - part.count).contains { bytes[$0..<$0 + part.count].elementsEqual(part) }
  }
}
