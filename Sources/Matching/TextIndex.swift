/// The texts that conditions look for at the beginning, at the end or anywhere in the strings of a field: one pass over a
/// string tells all that are there, however many there are (the algorithm of Aho and Corasick).
struct TextIndex: ~Copyable {
  /// Where in a string a text must stand.
  enum Place: Int, CaseIterable {
    case beginning, end, anywhere
  }

  /// What a text is looked for on behalf of.
  struct Posting {
    let finding: Finding
    /// Whether it must stand in a string that is no element of an array.
    let wantsWhole: Bool
    /// The combination that it is a part of, or -1, and the part as a bit.
    let part: UInt8
    let combination: Int32
    /// What else is found wherever this is, or -1.
    let next: Int32
    /// Twice the number of the event in which it was last found, and one more if that was in a string that is no element. All
    /// that follows was found then, too.
    var lastFound = 0

    init(_ text: IndexedTexts.Entry, next: Int32) {
      finding = text.finding
      wantsWhole = text.wantsWhole
      part = text.part
      combination = text.combination
      self.next = next
    }
  }

  private var trie = ByteTrie()
  private var postings = FlatArray<Posting>()
  private var combinations: FlatArray<IndexedTexts.Combination>
  /// The root of each trie by the number of its group; -1 where there is none.
  private var roots = FlatArray<Int32>()
  /// For each field, whether there is any.
  private var isWanted = FlatArray<Bool>()
  private static let rootCount = 2 * Place.allCases.count

  /// Compiles texts.
  init(_ texts: consuming IndexedTexts, fieldCount: Int) {
    roots = FlatArray(repeating: -1, count: fieldCount * Self.rootCount)
    isWanted = FlatArray(repeating: false, count: fieldCount)
    combinations = FlatArray(texts.combinations.view(0, texts.combinations.count))
    texts.sort()
    var first = 0
    while first < texts.count {
      let group = Int(texts.entry(first).group)
      var end = first + 1
      while end < texts.count, texts.entry(end).group == group { end += 1 }
      let hasFallbacks = Self.place(ofGroup: group) == .anywhere
      roots[group] = trie.insert(texts, first..<end, hasFallbacks: hasFallbacks, postings: &postings)
      isWanted[group / Self.rootCount] = true
      first = end
    }
  }

  /// The number of the trie for what is looked for at a field; it is odd where case is folded.
  static func group(_ field: Int32, _ place: Place, isFolded: Bool) -> Int32 {
    field * Int32(rootCount) + Int32(place.rawValue * 2) + (isFolded ? 1 : 0)
  }

  private static func place(ofGroup group: Int) -> Place {
    switch group % rootCount / 2 {
    case 0: .beginning
    case 1: .end
    default: .anywhere
    }
  }

  /// Appends what is found in the event's strings at a field, each once.
  @inline(__always)
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    if isWanted[Int(field)] { findTexts(at: field, of: &values, event: event, into: &found) }
  }

  @inline(never)
  private mutating func findTexts(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    var index = values.first(of: field)
    while index >= 0 {
      let value = values[index]
      if value.kind == .string {
        let stamp = event << 1 | (value.isElement ? 0 : 1)
        let first = Int(Self.group(field, .beginning, isFolded: false))
        for group in first..<first + Self.rootCount where roots[group] >= 0 {
          find(group, in: group & 1 == 0 ? values.text(of: index) : values.foldedText(of: index), stamp, &found)
        }
      }
      index = Int(value.next)
    }
  }

  private mutating func find(
    _ group: Int, in text: UnsafeBufferPointer<UInt8>, _ stamp: Int, _ found: inout FlatArray<Finding>
  ) {
    switch Self.place(ofGroup: group) {
    case .beginning: walk(roots[group], text, stamp, &found)
    case .end: walk(roots[group], text.reversed(), stamp, &found)
    case .anywhere: search(roots[group], text, stamp, &found)
    }
  }

  /// Follows a text for as long as others begin like it.
  private mutating func walk(
    _ root: Int32, _ text: some Sequence<UInt8>, _ stamp: Int, _ found: inout FlatArray<Finding>
  ) {
    var state = root
    note(trie[state].posting, stamp, &found)
    for byte in text {
      state = trie.next(of: state, byte)
      if state < 0 { return }
      note(trie[state].posting, stamp, &found)
    }
  }

  private mutating func search(
    _ root: Int32, _ text: UnsafeBufferPointer<UInt8>, _ stamp: Int, _ found: inout FlatArray<Finding>
  ) {
    var state = root
    note(trie[state].posting, stamp, &found)
    for byte in text {
      state = trie.fallback(from: state, byte)
      let posting = trie[state].posting
      if posting >= 0 { note(posting, stamp, &found) }
    }
  }

  /// Appends what a posting and those that follow it stand for, up to one that was noted before.
  private mutating func note(_ first: Int32, _ stamp: Int, _ found: inout FlatArray<Finding>) {
    var number = Int(first)
    while number >= 0, postings[number].lastFound < stamp {
      postings[number].lastFound = stamp
      let posting = postings[number]
      let isWhole = stamp & 1 != 0
      if isWhole || !posting.wantsWhole, posting.combination < 0 || completes(posting, event: stamp >> 1) {
        found.append(posting.finding)
      }
      number = Int(posting.next)
    }
  }

  /// Notes a part of a combination and tells whether all are there.
  private mutating func completes(_ posting: Posting, event: Int) -> Bool {
    var combination = combinations[Int(posting.combination)]
    if combination.event != event { combination.found = 0 }
    combination.event = event
    combination.found |= posting.part
    combinations[Int(posting.combination)] = combination
    return combination.found == combination.parts
  }
}
