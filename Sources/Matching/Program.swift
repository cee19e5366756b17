/// Expressions compiled for matching: formulas as one flat table of nodes, and which predicates bring up which expressions.
struct Program: ~Copyable {
  /// One operation of a formula.
  struct Node {
    enum Kind: UInt8 {
      /// A predicate that the ``ValueIndex`` answers, and one that is tested when it is needed.
      case indexed, tested
      case all, any
    }

    var kind: Kind
    var isNegated = false
    /// The predicate, or the first of the parts, which follow one another.
    var first: Int32
    var count: Int32 = 0
  }

  private(set) var nodes = FlatArray<Node>()
  /// The node of each expression.
  private(set) var roots = FlatArray<Int32>()
  /// For each predicate, the expressions to look at where it is true.
  let expressionsOfPredicate: NumberLists
  /// For each field, the predicates to test for every event that has it, since expressions are brought up by them.
  let testsOfField: NumberLists
  /// The expressions to look at for every event.
  let expressionsOfEveryEvent: [Int32]

  init(_ formulas: [Formula], _ registry: borrowing PredicateRegistry) {
    var expressions = Array(repeating: [Int32](), count: registry.predicates.count)
    var tests = Array(repeating: [Int32](), count: Int(registry.tree.fieldCount))
    var always: [Int32] = []
    for (number, formula) in formulas.enumerated() {
      let access = Self.access(formula, registry)
      if access.cost == .everyEvent { always.append(Int32(number)) }
      for predicate in access.predicates.map(Int.init) {
        if expressions[predicate].isEmpty, !registry.predicates[predicate].needsNoTest {
          tests[Int(registry.fields[predicate])].append(Int32(predicate))
        }
        expressions[predicate].append(Int32(number))
      }
    }
    expressionsOfPredicate = NumberLists(expressions)
    testsOfField = NumberLists(tests)
    expressionsOfEveryEvent = always
    for formula in formulas {
      roots.append(Int32(nodes.count))
      nodes.append(Node(kind: .all, first: 0))
      place(formula, at: nodes.count - 1, registry)
    }
  }

  private static func access(_ formula: Formula, _ registry: borrowing PredicateRegistry) -> Access {
    switch formula {
    case .predicate(_, isNegated: true):
      return .everyEvent
    case .predicate(let number, isNegated: false):
      let cost: Access.Cost =
        switch registry.predicates[Int(number)] {
        case .isIndexed: .lookUp
        case .isThere, .hasNull: .presence
        case .contains, .begins, .ends, .matches, .isOrdered, .isWithin: .test
        }
      return Access(cost: cost, popularity: registry.popularity[Int(number)], predicates: [number])
    case .all(let parts):
      var accesses: [Access] = []
      for part in parts { accesses.append(access(part, registry)) }
      return .cheapest(accesses)
    case .any(let parts):
      var accesses: [Access] = []
      for part in parts { accesses.append(access(part, registry)) }
      return .union(accesses)
    }
  }

  private mutating func place(_ formula: Formula, at place: Int, _ registry: borrowing PredicateRegistry) {
    switch formula {
    case .predicate(let number, let isNegated):
      let kind: Node.Kind = registry.predicates[Int(number)].needsNoTest ? .indexed : .tested
      nodes[place] = Node(kind: kind, isNegated: isNegated, first: number)
    case .all(let parts): self.place(parts, .all, at: place, registry)
    case .any(let parts): self.place(parts, .any, at: place, registry)
    }
  }

  /// Places a group with its parts side by side, those first that are decided without a test.
  private mutating func place(
    _ parts: [Formula], _ kind: Node.Kind, at place: Int, _ registry: borrowing PredicateRegistry
  ) {
    let first = nodes.count
    nodes[place] = Node(kind: kind, first: Int32(first), count: Int32(parts.count))
    for _ in parts { nodes.append(Node(kind: .all, first: 0)) }
    var next = first
    for wantsIndexed in [true, false] {
      for part in parts {
        var isIndexed = false
        if case .predicate(let number, _) = part { isIndexed = registry.predicates[Int(number)].needsNoTest }
        guard isIndexed == wantsIndexed else { continue }
        self.place(part, at: next, registry)
        next += 1
      }
    }
  }
}

/// A list of numbers for each number from 0, all in one stretch of memory.
struct NumberLists: ~Copyable {
  private let starts: FlatArray<Int32>
  private let members: FlatArray<Int32>

  init(_ lists: [[Int32]]) {
    var end: Int32 = 0
    starts = FlatArray(
      [0]
        + lists.map { list in
          end += Int32(list.count)
          return end
        })
    members = FlatArray(Array(lists.joined()))
  }

  subscript(number: Int) -> UnsafeBufferPointer<Int32> {
    members.view(Int(starts[number]), Int(starts[number + 1] - starts[number]))
  }
}
