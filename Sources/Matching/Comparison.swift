import JSON

/// What a condition asks of the values at its field: an operator with the value it needs, of the type it needs.
enum Comparison: Sendable {
  case isNull(Bool)
  case exists(Bool)
  /// Equal to one of the values, or there and equal to none of them.
  case equals([JSONValue], negated: Bool)
  case contains(JSONValue)
  case startsWith(String)
  case endsWith(String)
  case matches(Pattern)
  case compares(Order, JSONValue)
  case isWithin([Network])

  /// The four ways to be ordered.
  enum Order: Sendable {
    case less, lessOrEqual, greater, greaterOrEqual
  }

  /// The longest string, in characters (Unicode scalars), that an event may be compared with.
  static let stringLimit = 16_384
  /// The most values, counted through all arrays and objects, that one condition may give.
  static let valueLimit = 10_000
  /// The longest pattern in characters (Unicode scalars).
  static let patternLimit = 1000

  /// Reads an operator's value.
  init(_ name: Operator, _ value: JSONValue, isCaseSensitive: Bool) throws(JSONFaults) {
    var count = 0
    try Self.checkBounds(of: value, count: &count)
    switch name {
    case .eq: self = value == .null ? .isNull(true) : .equals([value], negated: false)
    case .ne: self = value == .null ? .isNull(false) : .equals([value], negated: true)
    case .in: self = .equals(try Self.elements(value), negated: false)
    case .notIn: self = .equals(try Self.elements(value), negated: true)
    case .gt: self = .compares(.greater, value)
    case .gte: self = .compares(.greaterOrEqual, value)
    case .lt: self = .compares(.less, value)
    case .lte: self = .compares(.lessOrEqual, value)
    case .contains: self = .contains(value)
    case .startsWith: self = .startsWith(try Self.string(value))
    case .endsWith: self = .endsWith(try Self.string(value))
    case .regex: self = .matches(try Self.pattern(value, isCaseSensitive: isCaseSensitive))
    case .cidr: self = .isWithin(try Self.networks(value))
    case .exists:
      guard case .bool(let isThere) = value else {
        throw JSONFaults("must be true or false for exists, not \(value.kind)")
      }
      self = .exists(isThere)
    }
  }

  private static func elements(_ value: JSONValue) throws(JSONFaults) -> [JSONValue] {
    guard case .array(let elements) = value else {
      throw JSONFaults("must be an array of the values to look for, not \(value.kind)")
    }
    return elements
  }

  private static func string(_ value: JSONValue) throws(JSONFaults) -> String {
    guard case .string(let string) = value else {
      throw JSONFaults("must be a string for this operator, not \(value.kind)")
    }
    return string
  }

  private static func pattern(
    _ value: JSONValue, isCaseSensitive: Bool
  ) throws(JSONFaults) -> Pattern {
    let text = try string(value)
    guard text.hasScalars(0...patternLimit) else {
      throw JSONFaults("must be a pattern of at most \(patternLimit) characters")
    }
    do {
      return try Pattern(text, isCaseSensitive: isCaseSensitive)
    } catch {
      throw JSONFaults(
        "must be a pattern in RE2 syntax, without look-around and back-references: \(error.reason)")
    }
  }

  private static func networks(_ value: JSONValue) throws(JSONFaults) -> [Network] {
    guard case .array(let elements) = value else { return [try network(value)] }
    guard !elements.isEmpty else { throw JSONFaults("must have at least one network") }
    var networks: [Network] = []
    for (index, element) in elements.enumerated() {
      do { networks.append(try network(element)) } catch { throw error.below("/\(index)") }
    }
    return networks
  }

  private static func network(_ value: JSONValue) throws(JSONFaults) -> Network {
    guard case .string(let text) = value, let network = Network(text) else {
      throw JSONFaults("must be a network such as \"10.0.0.0/8\" or \"2001:db8::/32\"")
    }
    return network
  }

  private static func checkBounds(of value: JSONValue, count: inout Int) throws(JSONFaults) {
    switch value {
    case .null, .bool, .number:
      break
    case .string(let string):
      guard string.hasScalars(0...stringLimit) else {
        throw JSONFaults("must be a string of at most \(stringLimit) characters")
      }
    case .array(let elements):
      for (index, element) in elements.enumerated() {
        do { try checkBounds(of: element, count: &count) } catch { throw error.below("/\(index)") }
      }
    case .object(let object):
      for member in object.members {
        do {
          try checkBounds(of: member.value, count: &count)
        } catch {
          throw error.below("/" + JSONPointer.escaped(member.key))
        }
      }
    }
    count += 1
    guard count <= valueLimit + 1 else { throw JSONFaults("must have at most \(valueLimit) elements") }
  }
}
