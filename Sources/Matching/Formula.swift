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

/// Why a formula need not be looked at for most events: one of some predicates must be true, or else it is false.
struct Access {
  /// How dear it is to learn which predicates are true, and how often they are.
  enum Cost: Int, Comparable {
    /// One look-up for all conditions on a field.
    case lookUp
    /// A test of its own for each event that has the field.
    case test
    /// True for most events that have the field.
    case presence
    /// No predicate need be true: the formula is looked at for every event.
    case everyEvent

    static func < (left: Cost, right: Cost) -> Bool { left.rawValue < right.rawValue }
  }

  var cost: Cost
  /// How many expressions one event may bring up through them, roughly.
  var popularity: Int
  var predicates: [Int32]

  static let everyEvent = Access(cost: .everyEvent, popularity: 0, predicates: [])

  /// The cheapest part of an AND: it is enough to be brought up by one.
  static func cheapest(_ parts: [Access]) -> Access {
    parts.min { ($0.cost, $0.popularity) < ($1.cost, $1.popularity) } ?? .everyEvent
  }

  /// All parts of an OR; of none, no event brings it up.
  static func union(_ parts: [Access]) -> Access {
    guard parts.allSatisfy({ $0.cost != .everyEvent }) else { return .everyEvent }
    return parts.reduce(into: Access(cost: .lookUp, popularity: 0, predicates: [])) { union, part in
      union.cost = max(union.cost, part.cost)
      union.popularity += part.popularity
      union.predicates += part.predicates
    }
  }
}
