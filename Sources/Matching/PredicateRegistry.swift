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
    let field = tree.insert(condition.field)
    let isFolded = !condition.isCaseSensitive
    switch condition.comparison {
    case .exists(true): return isThere(field)
    case .exists(false): return isThere(field).negation
    case .isNull(true): return .any([isThere(field).negation, hasNull(field)])
    case .isNull(false): return .all([isThere(field), hasNull(field).negation])
    case .equals(let values, negated: false): return equals(.equals, values, isFolded, field)
    case .equals(let values, negated: true):
      return .all([isThere(field), equals(.equals, values, isFolded, field).negation])
    case .contains(let value):
      let element = equals(.hasElement, [value], isFolded, field)
      guard let text = value.string else { return element }
      return .any([
        predicate(.contains, field, condition, .contains(Needle(text, isFolded), isFolded: isFolded)), element,
      ])
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

  private mutating func isThere(_ field: Int32) -> Formula {
    .predicate(register(.isThere, field, [], popularity: 1, .isThere).number, isNegated: false)
  }

  private mutating func hasNull(_ field: Int32) -> Formula {
    .predicate(register(.hasNull, field, [], popularity: 1, .hasNull).number, isNegated: false)
  }

  private mutating func predicate(
    _ kind: Kind, _ field: Int32, _ condition: Condition, _ predicate: @autoclosure () -> Predicate
  ) -> Formula {
    let key = condition.value.json + [condition.isCaseSensitive ? 1 : 0]
    return .predicate(register(kind, field, key, popularity: 1, predicate()).number, isNegated: false)
  }

  private mutating func equals(_ kind: Kind, _ values: [JSONValue], _ isFolded: Bool, _ field: Int32) -> Formula {
    let key = JSONValue.array(values).json + [isFolded ? 0 : 1]
    let (number, isNew) = register(kind, field, key, popularity: max(values.count, 1), .isIndexed)
    if isNew {
      let posting = ValueIndex.Posting(predicate: number, wantsElement: kind == .hasElement)
      for value in values { index.insert(value, isFolded: isFolded, at: field, posting) }
    }
    return .predicate(number, isNegated: false)
  }

  private mutating func register(
    _ kind: Kind, _ field: Int32, _ value: [UInt8], popularity added: Int, _ predicate: @autoclosure () -> Predicate
  ) -> (number: Int32, isNew: Bool) {
    let new = Int32(predicates.count)
    let number = ([kind.rawValue] + value).withUnsafeBufferPointer { known.insert($0, in: field, value: new) }
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
