/// Finds, among the predicates that bring up expressions, those that an event satisfies; but for those of the ``ValueIndex``.
struct AccessIndex: ~Copyable {
  private var texts: TextIndex
  private var ranges: RangeIndex
  private var networks: NetworkIndex
  private var patterns: PatternIndex
  /// For each field, the predicates that have to be tested for every event that has it.
  private let tests: NumberLists

  /// Compiles the predicates with these numbers.
  init(
    _ predicates: borrowing FlatArray<Int32>, _ registry: borrowing PredicateRegistry,
    _ patternTexts: PatternTexts
  ) {
    let fieldCount = Int(registry.tree.fieldCount)
    var texts = IndexedTexts()
    ranges = RangeIndex(fieldCount: fieldCount)
    networks = NetworkIndex(fieldCount: fieldCount)
    var patterns = FlatArray<NumberLists.Member>()
    var tests = FlatArray<NumberLists.Member>()
    for index in 0..<predicates.count {
      let number = predicates[index]
      let field = registry.fields[Int(number)]
      let found = Finding(predicate: number, isCertain: true)
      switch registry.predicates[Int(number)] {
      case .isIndexed: break
      case .contains(let needle, let isFolded):
        texts.append(needle.bytes, at: field, .anywhere, isFolded: isFolded, found, wantsWhole: true)
      case .begins(let needle, let isFolded):
        texts.append(needle.bytes, at: field, .beginning, isFolded: isFolded, found)
      case .ends(let needle, let isFolded):
        texts.append(needle.bytes, at: field, .end, isFolded: isFolded, found)
      case .isOrdered(let bound): ranges.insert(bound, at: field, predicate: number)
      case .isWithin(let list): for network in list { networks.insert(network, at: field, predicate: number) }
      case .matches:
        if let required = patternTexts[number] {
          texts.append(required, at: field, Finding(predicate: number, isCertain: false))
        } else {
          patterns.append(NumberLists.Member(list: field, number: number))
        }
      case .isThere, .hasNull: tests.append(NumberLists.Member(list: field, number: number))
      }
    }
    ranges.sort()
    self.texts = TextIndex(texts, fieldCount: fieldCount)
    self.patterns = PatternIndex(patterns, registry)
    self.tests = NumberLists(tests, count: fieldCount)
  }

  /// Appends what is found at a field of the event with this number. Something may be found twice.
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    texts.find(at: field, of: &values, event: event, into: &found)
    ranges.find(at: field, of: &values, event: event, into: &found)
    networks.find(at: field, of: &values, event: event, into: &found)
    patterns.find(at: field, of: &values, event: event, into: &found)
    for predicate in tests[Int(field)] { found.append(Finding(predicate: predicate, isCertain: false)) }
  }
}
