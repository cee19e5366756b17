/// Expressions compiled for matching: formulas as one flat table of nodes, and which predicates bring up which expressions.
struct Program: ~Copyable {
  /// One operation of a formula.
  struct Node {
    enum Kind: UInt8 {
      /// A predicate that an index answers, and one that is tested when it is needed.
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
  /// The expressions to look at for every event.
  private(set) var expressionsOfEveryEvent = FlatArray<Int32>()
  /// For each predicate, whether an index answers it, so that it is never tested.
  private var isDecided = FlatArray<Bool>()
  /// What finds the predicates that bring up expressions.
  var index: AccessIndex

  init(_ formulas: [Formula], _ registry: borrowing PredicateRegistry) {
    let patternTexts = PatternTexts(registry)
    let costs = AccessCosts(registry, patternTexts)
    var members = FlatArray<NumberLists.Member>()
    var isAccess = FlatArray(repeating: false, count: registry.predicates.count)
    var accesses = FlatArray<Int32>()
    for (number, formula) in formulas.enumerated() {
      let access = Access(to: formula, costs)
      if access.cost == .infinity { expressionsOfEveryEvent.append(Int32(number)) }
      for predicate in access.predicates {
        members.append(NumberLists.Member(list: predicate, number: Int32(number)))
        if !isAccess[Int(predicate)] { accesses.append(predicate) }
        isAccess[Int(predicate)] = true
      }
    }
    expressionsOfPredicate = NumberLists(members, count: registry.predicates.count)
    index = AccessIndex(accesses, registry, patternTexts)
    for number in registry.predicates.indices {
      isDecided.append(registry.predicates[number].isDecidedByIndex(asAccess: isAccess[number]))
    }
    for formula in formulas {
      roots.append(Int32(nodes.count))
      nodes.append(Node(kind: .all, first: 0))
      place(formula, at: nodes.count - 1)
    }
  }

  private mutating func place(_ formula: Formula, at place: Int) {
    switch formula {
    case .predicate(let number, let isNegated):
      let kind: Node.Kind = isDecided[Int(number)] ? .indexed : .tested
      nodes[place] = Node(kind: kind, isNegated: isNegated, first: number)
    case .all(let parts): self.place(parts, .all, at: place)
    case .any(let parts): self.place(parts, .any, at: place)
    }
  }

  /// Places a group with its parts side by side, those first that are decided without a test.
  private mutating func place(_ parts: [Formula], _ kind: Node.Kind, at place: Int) {
    let first = nodes.count
    nodes[place] = Node(kind: kind, first: Int32(first), count: Int32(parts.count))
    for _ in parts { nodes.append(Node(kind: .all, first: 0)) }
    var next = first
    for wantsDecided in [true, false] {
      for part in parts {
        var isDecided = false
        if case .predicate(let number, _) = part { isDecided = self.isDecided[Int(number)] }
        guard isDecided == wantsDecided else { continue }
        self.place(part, at: next)
        next += 1
      }
    }
  }
}

/// A list of numbers for each number from 0, all in one stretch of memory.
struct NumberLists: ~Copyable {
  struct Member {
    let list: Int32
    let number: Int32
  }

  private var starts: FlatArray<Int32>
  private var numbers: FlatArray<Int32>

  /// Lists with these members, each in its list in the order given.
  init(_ members: borrowing FlatArray<Member>, count: Int) {
    starts = FlatArray(repeating: 0, count: count + 2)
    numbers = FlatArray(repeating: 0, count: members.count)
    for index in 0..<members.count { starts[Int(members[index].list) + 2] += 1 }
    for list in 0..<count { starts[list + 2] += starts[list + 1] }
    // Until its members are in, the start of each list stands one place further on, and moves up with each.
    for index in 0..<members.count {
      let member = members[index]
      numbers[Int(starts[Int(member.list) + 1])] = member.number
      starts[Int(member.list) + 1] += 1
    }
  }

  subscript(list: Int) -> UnsafeBufferPointer<Int32> {
    numbers.view(Int(starts[list]), Int(starts[list + 1] - starts[list]))
  }
}
