import JSON

/// Tells which of many expressions hold for an event, at a cost that follows what the event could match and not how many
/// expressions there are.
///
/// It is compiled once. Each expression that needs something positive is brought up only by an event that has it (its access
/// predicate); equal values are found by one look-up for all conditions; what several conditions ask is answered once per
/// event. A match depends on the event's content alone. The order of work for one event: read, look up, look at what came up.
package final class Matcher {
  private var state: MatcherState

  /// Compiles expressions; ``match(_:)`` tells them by their places in the array.
  package convenience init(_ expressions: [Expression]) {
    var rest = expressions[...]
    self.init { rest.popFirst() }
  }

  /// Compiles the expressions that a function gives one after the other until it gives nil, so that no two of them need be in
  /// memory at once; ``match(_:)`` tells them by their numbers, from 0.
  package init<Failure>(_ next: () throws(Failure) -> Expression?) throws(Failure) {
    state = try MatcherState(next)
  }

  /// The expressions that hold for an event, ascending.
  ///
  /// The event is one JSON object in UTF-8, read in place. Anything else throws, with the offset in bytes from its beginning:
  /// what RFC 8259 does not allow, nesting deeper than ``JSON/JSONValue/depthLimit``, text behind the object. Equal keys are
  /// resolved in favour of the last. An event that matches nothing allocates no memory, once a few like it have been read.
  package func match(_ event: Span<UInt8>) throws(JSONSyntaxError) -> [Int] {
    try event.withUnsafeBufferPointer { (bytes) throws(JSONSyntaxError) in try state.match(bytes) }
  }
}

/// A compiled matcher with what it knows of the event in hand.
private struct MatcherState: ~Copyable {
  private let predicates: [Predicate]
  /// The field of each predicate.
  private let fields: FlatArray<Int32>
  private var program: Program
  private var index: ValueIndex
  private var reader: EventReader
  private var eventCount = 0
  /// For each predicate, twice the number of the event for which it was last decided, and one more if it was true. An indexed
  /// predicate that was not decided for this event is false.
  private var truths: FlatArray<Int>
  /// For each expression, the event that last brought it up.
  private var broughtUp: FlatArray<Int>
  /// The expressions that this event brought up, each once.
  private var candidates = FlatArray<Int32>()
  /// What the index found for one field.
  private var found = FlatArray<Finding>()

  init<Failure>(_ next: () throws(Failure) -> Expression?) throws(Failure) {
    var registry = PredicateRegistry()
    var formulas: [Formula] = []
    while let expression = try next() { formulas.append(registry.formula(expression)) }
    program = Program(formulas, registry)
    truths = FlatArray(repeating: 0, count: registry.predicates.count)
    broughtUp = FlatArray(repeating: 0, count: formulas.count)
    fields = FlatArray(registry.fields)
    predicates = registry.predicates
    index = registry.index
    reader = EventReader(registry.tree)
  }

  mutating func match(_ event: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) -> [Int] {
    try reader.read(event)
    eventCount += 1
    candidates.removeAll()
    for number in 0..<reader.values.fields.count { try decide(reader.values.fields[number]) }
    var matches: [Int] = []
    for number in 0..<candidates.count where holds(program.roots[Int(candidates[number])]) {
      matches.append(Int(candidates[number]))
    }
    for number in 0..<program.expressionsOfEveryEvent.count {
      let expression = Int(program.expressionsOfEveryEvent[number])
      if holds(program.roots[expression]) { matches.append(expression) }
    }
    if matches.count > 1 { matches.sort() }
    return matches
  }

  /// Decides all predicates of a field that an index answers and those that can bring up expressions.
  private mutating func decide(_ field: Int32) throws(JSONSyntaxError) {
    found.removeAll()
    try index.find(at: field, of: &reader.values, event: eventCount, into: &found)
    program.index.find(at: field, of: &reader.values, event: eventCount, into: &found)
    for number in 0..<found.count {
      let predicate = found[number].predicate
      if found[number].isCertain {
        if truths[Int(predicate)] == eventCount << 1 | 1 { continue }
        truths[Int(predicate)] = eventCount << 1 | 1
      } else if !isTrue(tested: predicate) {
        continue
      }
      bringUpExpressions(of: predicate)
    }
  }

  private mutating func bringUpExpressions(of predicate: Int32) {
    for expression in program.expressionsOfPredicate[Int(predicate)] where broughtUp[Int(expression)] != eventCount {
      broughtUp[Int(expression)] = eventCount
      candidates.append(expression)
    }
  }

  private mutating func isTrue(tested predicate: Int32) -> Bool {
    let known = truths[Int(predicate)]
    if known >> 1 == eventCount { return known & 1 != 0 }
    let isTrue = reader.values.satisfy(predicates[Int(predicate)], at: fields[Int(predicate)])
    truths[Int(predicate)] = eventCount << 1 | (isTrue ? 1 : 0)
    return isTrue
  }

  private mutating func holds(_ number: Int32) -> Bool {
    let node = program.nodes[Int(number)]
    switch node.kind {
    case .indexed:
      return (truths[Int(node.first)] == eventCount << 1 | 1) != node.isNegated
    case .tested:
      return isTrue(tested: node.first) != node.isNegated
    case .all:
      for part in node.first..<node.first + node.count where !holds(part) { return false }
      return true
    case .any:
      for part in node.first..<node.first + node.count where holds(part) { return true }
      return false
    }
  }
}
