/// The bounds that values are compared with, sorted: one search tells which of them admit a value.
struct RangeIndex: ~Copyable {
  /// What the bounds of a list are compared with. A bound that is text is one for numbers, too, if it spells one.
  private enum Comparand: Int, CaseIterable {
    case number, spelledNumber, text, foldedText
  }

  struct Bound {
    let list: Int32
    let predicate: Int32
    /// Whether a value at the bound is admitted.
    let isInclusive: Bool
    let start: Int
    let count: Int
  }

  /// The bounds at one field for one comparand and direction, those that admit most values first.
  struct List {
    var first = 0
    var end = 0
    /// How many have been found in an event.
    var found = 0
    var event = 0
  }

  private var bounds = FlatArray<Bound>()
  private var keys = FlatArray<UInt8>()
  private var lists: FlatArray<List>
  private static let listCount = 2 * Comparand.allCases.count

  init(fieldCount: Int) { lists = FlatArray(repeating: List(), count: fieldCount * Self.listCount) }

  /// Adds a bound; nothing is found before ``sort()``.
  mutating func insert(_ bound: Predicate.Bound, at field: Int32, predicate: Int32) {
    let isUpper = bound.order == .less || bound.order == .lessOrEqual
    let isInclusive = bound.order == .lessOrEqual || bound.order == .greaterOrEqual
    func insert(_ key: [UInt8], _ comparand: Comparand) {
      bounds.append(
        Bound(
          list: Int32(Self.list(field, comparand, isUpper: isUpper)), predicate: predicate, isInclusive: isInclusive,
          start: keys.count, count: key.count))
      key.withUnsafeBufferPointer { keys.append($0) }
    }
    if let text = bound.text { insert(text, bound.isFolded ? .foldedText : .text) }
    if let number = bound.number { insert(number, bound.text == nil ? .number : .spelledNumber) }
  }

  /// Makes the index ready, after the last bound.
  mutating func sort() {
    let keys = keys.view(0, keys.count)
    bounds.sort { left, right in
      if left.list != right.list { return left.list < right.list }
      let order = UnsafeBufferPointer(rebasing: keys[left.start..<left.start + left.count])
        .order(to: UnsafeBufferPointer(rebasing: keys[right.start..<right.start + right.count]))
      if order != 0 { return Self.isUpper(left.list) ? order > 0 : order < 0 }
      return left.isInclusive && !right.isInclusive
    }
    for number in 0..<bounds.count {
      let list = Int(bounds[number].list)
      if lists[list].end == 0 { lists[list].first = number }
      lists[list].end = number + 1
    }
  }

  private static func list(_ field: Int32, _ comparand: Comparand, isUpper: Bool) -> Int {
    Int(field) * listCount + comparand.rawValue * 2 + (isUpper ? 1 : 0)
  }

  private static func isUpper(_ list: Int32) -> Bool { list & 1 != 0 }

  /// Appends the predicates that the event's values at a field satisfy, each once for each of the two ways to compare.
  @inline(__always)
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    if bounds.count > 0 { findBounds(at: field, of: &values, event: event, into: &found) }
  }

  @inline(never)
  private mutating func findBounds(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    var index = values.first(of: field)
    while index >= 0 {
      let kind = values[index].kind
      if kind == .string {
        if has(field, .text) { find(field, .text, values.text(of: index), event, &found) }
        if has(field, .foldedText) { find(field, .foldedText, values.foldedText(of: index), event, &found) }
      }
      if kind == .string || kind == .number, has(field, .number) || kind == .number && has(field, .spelledNumber),
        let key = values.numberKey(of: index)
      {
        find(field, .number, key, event, &found)
        if kind == .number { find(field, .spelledNumber, key, event, &found) }
      }
      index = Int(values[index].next)
    }
  }

  private func has(_ field: Int32, _ comparand: Comparand) -> Bool {
    lists[Self.list(field, comparand, isUpper: false)].end > 0
      || lists[Self.list(field, comparand, isUpper: true)].end > 0
  }

  private mutating func find(
    _ field: Int32, _ comparand: Comparand, _ key: UnsafeBufferPointer<UInt8>, _ event: Int,
    _ found: inout FlatArray<Finding>
  ) {
    let lower = Self.list(field, comparand, isUpper: false)
    for list in lower...lower + 1 where lists[list].end > 0 {
      if lists[list].event != event {
        lists[list].event = event
        lists[list].found = 0
      }
      let end = end(of: lists[list], Self.isUpper(Int32(list)), key)
      let first = lists[list].first + lists[list].found
      guard first < end else { continue }
      for number in first..<end { found.append(Finding(predicate: bounds[number].predicate, isCertain: true)) }
      lists[list].found = end - lists[list].first
    }
  }

  /// The place behind the last bound of a list that admits a value.
  private func end(of list: List, _ isUpper: Bool, _ key: UnsafeBufferPointer<UInt8>) -> Int {
    var (low, high) = (list.first, list.end)
    while low < high {
      let middle = (low + high) / 2
      let bound = bounds[middle]
      let order = key.order(to: keys.view(bound.start, bound.count))
      let isAdmitted = order == 0 ? bound.isInclusive : isUpper == (order < 0)
      if isAdmitted { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
