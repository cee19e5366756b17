/// Why an expression need not be looked at for most events: one of some predicates must be true, or else it is false.
struct Access {
  /// What it costs an event to learn which of them are true, and to look at the expression where one is.
  var cost: Double
  var predicates: [Int32]

  /// No predicate need be true.
  static let everyEvent = Access(cost: .infinity, predicates: [])

  /// The cheapest access to a formula. For an AND it is enough to be brought up by one part; an OR is brought up by any of its
  /// parts, and by no event if it has none.
  init(to formula: Formula, _ costs: borrowing AccessCosts) {
    switch formula {
    case .predicate(_, isNegated: true):
      self = .everyEvent
    case .predicate(let number, isNegated: false):
      self.init(cost: costs[number], predicates: [number])
    case .all(let parts):
      self = .everyEvent
      for part in parts {
        let access = Access(to: part, costs)
        if access.cost < cost { self = access }
      }
    case .any(let parts):
      self.init(cost: 0, predicates: [])
      for part in parts {
        let access = Access(to: part, costs)
        cost += access.cost
        predicates += access.predicates
      }
      if cost == .infinity { self = .everyEvent }
    }
  }

  private init(cost: Double, predicates: [Int32]) {
    self.cost = cost
    self.predicates = predicates
  }
}

/// What each predicate costs as an access, in nanoseconds per event: its share of the price of asking the index that it is in,
/// and looking at an expression as often as it is expected to be true.
///
/// Nothing is known of events, so a predicate is taken to be the likelier true the more of its like ask the same of a field.
struct AccessCosts: ~Copyable {
  /// Predicates of one field that are answered together.
  private enum Company: Int, CaseIterable {
    case values, edges, substrings, networks, bounds, patterns
    /// Those that are tested one by one.
    case none

    /// What it costs to ask once. Rough measurements, of strings of some ten bytes.
    var price: Double {
      switch self {
      case .values: 10
      case .edges: 40
      case .substrings, .patterns: 300
      case .networks: 80
      case .bounds: 80
      case .none: 0
      }
    }

    /// For what part of the events a predicate is taken to be true that has this part of its company's uses.
    func likelihood(share: Double) -> Double {
      switch self {
      case .values, .edges, .substrings, .patterns: min(share, 0.3)
      case .networks: min(share, 0.4)
      case .bounds: 0.5
      case .none: 1
      }
    }
  }

  /// What it costs to look at an expression.
  private static let evaluation = 30.0
  /// What it costs to try a pattern on a text.
  private static let pattern = 300.0

  private var costs: FlatArray<Double>

  subscript(predicate: Int32) -> Double { costs[Int(predicate)] }

  init(_ registry: borrowing PredicateRegistry, _ patternTexts: PatternTexts) {
    costs = FlatArray(repeating: 0, count: registry.predicates.count)
    var uses = Array(repeating: 0, count: Int(registry.tree.fieldCount) * Company.allCases.count)
    for number in registry.predicates.indices {
      let company = Self.company(registry.predicates[number], Int32(number), patternTexts)
      uses[Int(registry.fields[number]) * Company.allCases.count + company.rawValue] += registry.popularity[number]
    }
    for number in registry.predicates.indices {
      let company = Self.company(registry.predicates[number], Int32(number), patternTexts)
      let all = Double(uses[Int(registry.fields[number]) * Company.allCases.count + company.rawValue])
      let likelihood = company.likelihood(share: Double(registry.popularity[number]) / all)
      var cost = company.price / all + likelihood * Self.evaluation
      switch registry.predicates[number] {
      case .matches: cost += likelihood * Self.pattern
      case .isThere, .hasNull, .isIndexed, .contains, .begins, .ends, .isOrdered, .isWithin: break
      }
      costs[number] = cost
    }
  }

  private static func company(
    _ predicate: borrowing Predicate, _ number: Int32, _ patternTexts: PatternTexts
  ) -> Company {
    switch predicate {
    case .isIndexed: .values
    case .begins, .ends: .edges
    case .contains: .substrings
    case .matches: patternTexts[number] == nil ? .patterns : .substrings
    case .isWithin: .networks
    case .isOrdered: .bounds
    case .isThere, .hasNull: .none
    }
  }
}
