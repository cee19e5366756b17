/// What an index finds in an event: a predicate that is true, or one that may be and has to be tested.
struct Finding {
  let predicate: Int32
  let isCertain: Bool
}

/// Texts to be compiled into a ``TextIndex``.
struct IndexedTexts: ~Copyable {
  struct Entry {
    /// The trie that it belongs to, see ``TextIndex/group(_:_:isFolded:)``.
    let group: Int32
    let finding: Finding
    /// Whether it must stand in a string that is no element of an array.
    let wantsWhole: Bool
    /// The combination that it is a part of, or -1, and the part as a bit.
    let combination: Int32
    let part: UInt8
    /// The first eight bytes, most significant first, which decide most comparisons.
    let beginning: UInt64
    let start: Int
    let count: Int
  }

  /// What is found only when something of each of its parts was found in the same event.
  struct Combination {
    let parts: UInt8
    /// The parts that were found in an event.
    var found: UInt8 = 0
    var event = 0
  }

  private(set) var combinations = FlatArray<Combination>()
  private var entries = FlatArray<Entry>()
  private var bytes = FlatArray<UInt8>()

  var count: Int { entries.count }

  func entry(_ index: Int) -> Entry { entries[index] }

  /// A byte of the text of an entry.
  func byte(_ index: Int, of entry: Int) -> UInt8 { bytes[entries[entry].start + index] }

  /// Adds a text that has been folded if case plays no part. A text for the ends of strings is kept, and looked for, backwards.
  mutating func append(
    _ text: some BidirectionalCollection<UInt8>, at field: Int32, _ place: TextIndex.Place, isFolded: Bool,
    _ finding: Finding, wantsWhole: Bool = false, combination: Int32 = -1, part: UInt8 = 0
  ) {
    let start = bytes.count
    if place == .end {
      for byte in text.reversed() { bytes.append(byte) }
    } else {
      for byte in text { bytes.append(byte) }
    }
    let count = bytes.count - start
    var beginning: UInt64 = 0
    for index in 0..<8 { beginning = beginning << 8 | (index < count ? UInt64(bytes[start + index]) : 0) }
    entries.append(
      Entry(
        group: TextIndex.group(field, place, isFolded: isFolded), finding: finding, wantsWhole: wantsWhole,
        combination: combination, part: part, beginning: beginning, start: start, count: count))
  }

  /// Adds sets of folded texts: something is found where at least one text of each set is.
  mutating func append(_ sets: [[String]], at field: Int32, _ finding: Finding) {
    let combination = sets.count == 1 ? -1 : Int32(combinations.count)
    if sets.count > 1 { combinations.append(Combination(parts: 1 << UInt8(sets.count) - 1)) }
    for (number, texts) in sets.enumerated() {
      for text in texts {
        append(
          text.utf8, at: field, .anywhere, isFolded: true, finding, combination: combination, part: 1 << UInt8(number))
      }
    }
  }

  /// Sorts by group and text; a text comes before those that it begins.
  mutating func sort() {
    let bytes = bytes.view(0, bytes.count)
    entries.sort { left, right in
      if left.group != right.group { return left.group < right.group }
      if left.beginning != right.beginning { return left.beginning < right.beginning }
      let leftText = UnsafeBufferPointer(rebasing: bytes[left.start..<left.start + left.count])
      return leftText.order(to: UnsafeBufferPointer(rebasing: bytes[right.start..<right.start + right.count])) < 0
    }
  }
}
