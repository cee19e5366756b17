/// An expression over numbered predicates, negation only at its leaves.
indirect enum Formula {
  case predicate(Int32, isNegated: Bool)
  case all([Formula])
  case any([Formula])

  /// What holds where the formula does not.
  var negation: Formula {
    switch self {
    case .predicate(let number, let isNegated): .predicate(number, isNegated: !isNegated)
    case .all(let parts): .any(parts.map(\.negation))
    case .any(let parts): .all(parts.map(\.negation))
    }
  }
}
