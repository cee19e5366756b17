import JSON

/// Something that an event's values at one field either satisfy or not, never through their absence. A condition comes down to
/// one or two of these, each perhaps negated; conditions that are alike share theirs.
enum Predicate {
  /// Something other than null is there.
  case isThere
  /// A null is there.
  case hasNull
  /// Equal to one of some values: answered by the ``ValueIndex`` alone.
  case isIndexed
  /// A string that has it, or, which is the ``ValueIndex``'s to say, an array that has it as an element.
  case contains(Needle, isFolded: Bool)
  case begins(Needle, isFolded: Bool)
  case ends(Needle, isFolded: Bool)
  case matches(Pattern)
  case isOrdered(Bound)
  case isWithin([Network])

  /// Whether an index answers it, so that it is never tested. An access is in an index of its kind if there is one.
  func isDecidedByIndex(asAccess isAccess: Bool) -> Bool {
    switch self {
    case .isIndexed: true
    case .contains, .begins, .ends, .isOrdered, .isWithin: isAccess
    case .isThere, .hasNull, .matches: false
    }
  }

  /// One end of a range.
  struct Bound {
    let order: Comparison.Order
    /// The bound as text, folded if case does not matter; nil for a number.
    let text: [UInt8]?
    let isFolded: Bool
    /// The ``NumberKey`` of a number or of text that spells one.
    let number: [UInt8]?

    /// A bound that values can be compared with, or nil where none ever is (a boolean, null, an array, an object).
    init?(_ order: Comparison.Order, _ value: JSONValue, isFolded: Bool) {
      self.order = order
      self.isFolded = isFolded
      var key = FlatArray<UInt8>()
      var spelling = value.string ?? ""
      if case .number(let number) = value { spelling = number.text }
      let isNumber = spelling.withUTF8 { NumberKey.append(numericString: $0, to: &key) }
      number = isNumber ? Array(key.view(0, key.count)) : nil
      text = value.string.map { isFolded ? CaseFolding.foldedUTF8($0) : Array($0.utf8) }
      if text == nil, number == nil { return nil }
    }

    /// Whether a value that comes before (below zero), at or behind the bound is in the range.
    func admits(_ order: Int) -> Bool {
      switch self.order {
      case .less: order < 0
      case .lessOrEqual: order <= 0
      case .greater: order > 0
      case .greaterOrEqual: order >= 0
      }
    }
  }
}

extension EventValues {
  /// Whether what the event has at a field satisfies a predicate.
  mutating func satisfy(_ predicate: borrowing Predicate, at field: Int32) -> Bool {
    var index = first(of: field)
    while index >= 0 {
      if satisfies(predicate, index) { return true }
      index = Int(self[index].next)
    }
    return false
  }

  private mutating func satisfies(_ predicate: borrowing Predicate, _ index: Int) -> Bool {
    let kind = self[index].kind
    switch predicate {
    case .isThere:
      return kind != .null && kind != .removed
    case .hasNull:
      return kind == .null
    case .isIndexed:
      return false
    case .contains(let needle, let isFolded):
      // A string in an array counts only as a whole, which is the index's to say.
      return kind == .string && !self[index].isElement && needle.isPart(of: text(of: index, isFolded))
    case .begins(let needle, let isFolded):
      return kind == .string && needle.begins(text(of: index, isFolded))
    case .ends(let needle, let isFolded):
      return kind == .string && needle.ends(text(of: index, isFolded))
    case .matches(let pattern):
      return kind == .string && pattern.matches(text(of: index))
    case .isOrdered(let bound):
      return isOrdered(index, bound)
    case .isWithin(let networks):
      guard kind == .string, let address = Address(text(of: index)) else { return false }
      return networks.contains { $0.contains(address) }
    }
  }

  private mutating func text(of index: Int, _ isFolded: Bool) -> UnsafeBufferPointer<UInt8> {
    isFolded ? foldedText(of: index) : text(of: index)
  }

  private mutating func isOrdered(_ index: Int, _ bound: Predicate.Bound) -> Bool {
    if self[index].kind == .string, let other = bound.text {
      let text = text(of: index, bound.isFolded)
      return other.withUnsafeBufferPointer { bound.admits(text.order(to: $0)) }
    }
    guard let other = bound.number, let key = numberKey(of: index) else { return false }
    return other.withUnsafeBufferPointer { bound.admits(key.order(to: $0)) }
  }
}
