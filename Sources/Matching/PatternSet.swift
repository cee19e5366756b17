import CRE2

/// Patterns that are searched for together, in one pass over a text however many there are.
final class PatternSet {
  private let handle: OpaquePointer
  private var found: [Int32]

  /// The memory in bytes that a set may take, and with each pattern a set may take more.
  private static let memoryLimit: Int64 = 8 << 20
  private static let memoryLimitOfPattern: Int64 = 16 << 10

  /// Nil if the patterns need more memory than a set may take.
  init?(_ patterns: [Pattern]) {
    guard let handle = cre2_set_make(Self.memoryLimit + Self.memoryLimitOfPattern * Int64(patterns.count)) else {
      return nil
    }
    self.handle = handle
    found = Array(repeating: 0, count: patterns.count)
    for pattern in patterns {
      var text = (pattern.isCaseSensitive ? "" : "(?i)") + pattern.text
      let isAdded = text.withUTF8 { utf8 in
        utf8.withMemoryRebound(to: CChar.self) { cre2_set_add(handle, $0.baseAddress, $0.count) }
      }
      guard isAdded else { return nil }
    }
    guard cre2_set_compile(handle) else { return nil }
  }

  deinit { cre2_set_free(handle) }

  /// Tells the numbers of the patterns that match anywhere in the text. False if that takes more memory than a set may take, so
  /// that nothing is known.
  func search(_ text: UnsafeBufferPointer<UInt8>, _ tell: (Int) -> Void) -> Bool {
    let count = found.withUnsafeMutableBufferPointer { found in
      text.withMemoryRebound(to: CChar.self) { cre2_set_search(handle, $0.baseAddress, $0.count, found.baseAddress) }
    }
    guard count >= 0 else { return false }
    for number in found[..<Int(count)] { tell(Int(number)) }
    return true
  }
}

/// The patterns that require no texts, by field.
struct PatternIndex: ~Copyable {
  /// For each field, the predicates of the patterns.
  private let predicates: NumberLists
  /// For each field, the set of its patterns where it is worth having, with the patterns in the order of `predicates`.
  private let sets: [PatternSet?]
  /// For each predicate, the event in which it was last found.
  private var lastFound: FlatArray<Int>

  /// From as many patterns on, a set takes less time than one search for each.
  private static let worthwhileCount = 3

  init(_ members: borrowing FlatArray<NumberLists.Member>, _ registry: borrowing PredicateRegistry) {
    predicates = NumberLists(members, count: Int(registry.tree.fieldCount))
    lastFound = FlatArray(repeating: 0, count: members.count == 0 ? 0 : registry.predicates.count)
    var sets: [PatternSet?] = []
    for field in 0..<Int(registry.tree.fieldCount) {
      var patterns: [Pattern] = []
      for number in predicates[field] {
        if case .matches(let pattern) = registry.predicates[Int(number)] { patterns.append(pattern) }
      }
      sets.append(patterns.count < Self.worthwhileCount ? nil : PatternSet(patterns))
    }
    self.sets = sets
  }

  /// Appends what is found in the event's strings at a field, each once, or what has to be tested.
  @inline(__always)
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    if !predicates[Int(field)].isEmpty { findPatterns(at: field, of: &values, event: event, into: &found) }
  }

  @inline(never)
  private mutating func findPatterns(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    var isKnown = sets[Int(field)] != nil
    var index = values.first(of: field)
    while isKnown, index >= 0 {
      if values[index].kind == .string {
        isKnown = find(at: field, in: values.text(of: index), event: event, into: &found)
      }
      index = Int(values[index].next)
    }
    if isKnown { return }
    for predicate in predicates[Int(field)] { found.append(Finding(predicate: predicate, isCertain: false)) }
  }

  private mutating func find(
    at field: Int32, in text: UnsafeBufferPointer<UInt8>, event: Int, into found: inout FlatArray<Finding>
  ) -> Bool {
    guard let set = sets[Int(field)] else { return false }
    return set.search(text) { number in
      let predicate = predicates[Int(field)][number]
      if lastFound[Int(predicate)] != event { found.append(Finding(predicate: predicate, isCertain: true)) }
      lastFound[Int(predicate)] = event
    }
  }
}
