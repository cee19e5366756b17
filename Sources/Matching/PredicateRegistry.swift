import JSON

/// Turns conditions into formulas over predicates, each predicate once however many conditions need it.
struct PredicateRegistry: ~Copyable {
  var tree = FieldTree()
  var index = ValueIndex()
  private(set) var predicates: [Predicate] = []
  /// The field of each predicate.
  private(set) var fields: [Int32] = []
  /// How often each predicate is used, times the number of values that satisfy it; at least 1.
  private(set) var popularity: [Int] = []
  /// From what a predicate says, in the group of its field, to its number.
  private var known = KeyTable()
  /// From the path of a field to its number.
  private var knownFields = KeyTable()
  private var key = FlatArray<UInt8>()

  /// What makes two predicates of one field the same, together with their values as JSON.
  private enum Kind: UInt8 {
    case isThere, hasNull, equals, hasElement, contains, begins, ends, matches, isWithin, less, lessOrEqual, greater,
      greaterOrEqual

    init(_ order: Comparison.Order) {
      switch order {
      case .less: self = .less
      case .lessOrEqual: self = .lessOrEqual
      case .greater: self = .greater
      case .greaterOrEqual: self = .greaterOrEqual
      }
    }
  }

  /// What an expression says of predicates.
  mutating func formula(_ expression: Expression) -> Formula {
    switch expression {
    case .condition(let condition): return formula(condition)
    case .all(let parts): return .all(formulas(parts))
    case .any(let parts): return .any(formulas(parts))
    case .not(let part): return formula(part).negation
    case .never: return .any([])
    }
  }

  private mutating func formulas(_ expressions: [Expression]) -> [Formula] {
    var formulas: [Formula] = []
    formulas.reserveCapacity(expressions.count)
    for expression in expressions { formulas.append(formula(expression)) }
    return formulas
  }

  private mutating func formula(_ condition: Condition) -> Formula {
    let field = number(of: condition.field)
    let isFolded = !condition.isCaseSensitive
    switch condition.comparison {
    case .exists(true): return isThere(field)
    case .exists(false): return isThere(field).negation
    case .isNull(true): return .any([isThere(field).negation, hasNull(field)])
    case .isNull(false): return .all([isThere(field), hasNull(field).negation])
    case .equals(let values, negated: false): return equals(.equals, values, isFolded, field)
    case .equals(let values, negated: true):
      return .all([isThere(field), equals(.equals, values, isFolded, field).negation])
    case .contains(.string(let text)): return contains(text, condition, field)
    case .contains(let value): return equals(.hasElement, [value], isFolded, field)
    case .startsWith(let text):
      return predicate(.begins, field, condition, .begins(Needle(text, isFolded), isFolded: isFolded))
    case .endsWith(let text):
      return predicate(.ends, field, condition, .ends(Needle(text, isFolded), isFolded: isFolded))
    case .matches(let pattern): return predicate(.matches, field, condition, .matches(pattern))
    case .isWithin(let networks): return predicate(.isWithin, field, condition, .isWithin(networks))
    case .compares(let order, let value):
      guard let bound = Predicate.Bound(order, value, isFolded: isFolded) else { return .any([]) }
      return predicate(Kind(order), field, condition, .isOrdered(bound))
    }
  }

  private mutating func number(of path: FieldPath) -> Int32 {
    var text = path.text
    let known = text.withUTF8 { knownFields.value(of: $0, in: 0) }
    if known >= 0 { return known }
    let number = tree.insert(path)
    return text.withUTF8 { knownFields.insert($0, in: 0, value: number) }
  }

  private mutating func isThere(_ field: Int32) -> Formula {
    beginKey(.isThere)
    return .predicate(register(field, popularity: 1, .isThere).number, isNegated: false)
  }

  private mutating func hasNull(_ field: Int32) -> Formula {
    beginKey(.hasNull)
    return .predicate(register(field, popularity: 1, .hasNull).number, isNegated: false)
  }

  private mutating func predicate(
    _ kind: Kind, _ field: Int32, _ condition: Condition, _ predicate: @autoclosure () -> Predicate
  ) -> Formula {
    beginKey(kind, isFolded: !condition.isCaseSensitive)
    appendToKey(condition.value)
    return .predicate(register(field, popularity: 1, predicate()).number, isNegated: false)
  }

  private mutating func contains(_ text: String, _ condition: Condition, _ field: Int32) -> Formula {
    let isFolded = !condition.isCaseSensitive
    beginKey(.contains, isFolded: isFolded)
    appendToKey(condition.value)
    let (number, isNew) = register(field, popularity: 1, .contains(Needle(text, isFolded), isFolded: isFolded))
    if isNew {
      let posting = ValueIndex.Posting(predicate: number, wantsElement: true)
      index.insert(condition.value, isFolded: isFolded, at: field, posting)
    }
    return .predicate(number, isNegated: false)
  }

  private mutating func equals(_ kind: Kind, _ values: [JSONValue], _ isFolded: Bool, _ field: Int32) -> Formula {
    beginKey(kind, isFolded: isFolded)
    for value in values { appendToKey(value) }
    let (number, isNew) = register(field, popularity: max(values.count, 1), .isIndexed)
    if isNew {
      let posting = ValueIndex.Posting(predicate: number, wantsElement: kind == .hasElement)
      for value in values { index.insert(value, isFolded: isFolded, at: field, posting) }
    }
    return .predicate(number, isNegated: false)
  }

  private mutating func beginKey(_ kind: Kind, isFolded: Bool = false) {
    key.removeAll()
    key.append(kind.rawValue << 1 | (isFolded ? 1 : 0))
  }

  /// Appends a value behind its kind and length: a string as it is, anything else as JSON.
  private mutating func appendToKey(_ value: JSONValue) {
    if case .string(var text) = value {
      key.append(1)
      text.withUTF8 { append(lengthAndBytes: $0) }
    } else {
      key.append(0)
      value.json.withUnsafeBufferPointer { append(lengthAndBytes: $0) }
    }
  }

  private mutating func append(lengthAndBytes bytes: UnsafeBufferPointer<UInt8>) {
    key.append(bytesOf: UInt64(bytes.count))
    key.append(bytes)
  }

  /// The number of the predicate of the key at hand.
  private mutating func register(
    _ field: Int32, popularity added: Int, _ predicate: @autoclosure () -> Predicate
  ) -> (number: Int32, isNew: Bool) {
    let new = Int32(predicates.count)
    let number = known.insert(key.view(0, key.count), in: field, value: new)
    guard number == new else {
      popularity[Int(number)] += added
      return (number, false)
    }
    predicates.append(predicate())
    fields.append(field)
    popularity.append(added)
    return (number, true)
  }
}
