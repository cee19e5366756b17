/// Tries over bytes in one flat table (a double array, after Aoe): what follows a state on a byte is found by one look at a
/// place that both tell. The states of a trie for substrings know where to go on when nothing follows, which makes it the
/// automaton of Aho and Corasick.
struct ByteTrie: ~Copyable {
  struct State {
    /// What a byte is combined with to find the state that follows.
    var base: Int32 = 0
    /// The state that this one follows; `free`, or `none` for a root.
    var parent = free
    /// The state for the longest other ending of what was read; that of a root is itself.
    var fallback: Int32 = 0
    /// The first of the postings for what was read, or -1.
    var posting: Int32 = -1

    static let free: Int32 = -1
    static let none: Int32 = -2
  }

  /// The texts that lead to a state, which follow one another in their order.
  struct Branch {
    let state: Int32
    let depth: Int
    var first: Int
    let end: Int
  }

  private var states = FlatArray<State>()
  /// One bit for each place, set where it is free.
  private var free = FlatArray<UInt64>()
  /// All places before those of this word of `free` are taken.
  private var firstFreeWord = 0
  private var branches = FlatArray<Branch>()
  private var labels = FlatArray<UInt8>()

  /// Places are given out in blocks of as many as there are bytes, and a state's followers are all in one block.
  private static let blockSize = 256
  /// States with several followers are tried in so many blocks, the last ones, before there is a new one.
  private static let triedBlocks = 4

  @inline(__always) subscript(state: Int32) -> State { states[Int(state)] }

  /// The state that follows on a byte, or -1.
  @inline(__always) func next(of state: Int32, _ byte: UInt8) -> Int32 {
    let place = states[Int(state)].base ^ Int32(byte)
    return states[Int(place)].parent == state ? place : -1
  }

  /// Adds a trie for sorted texts and tells its root. The postings of a state come before those of its fallback.
  mutating func insert(
    _ texts: borrowing IndexedTexts, _ range: Range<Int>, hasFallbacks: Bool,
    postings: inout FlatArray<TextIndex.Posting>
  ) -> Int32 {
    labels.removeAll()
    labels.append(0)
    let root = base()
    take(root, parent: State.none, fallback: root)
    branches.removeAll()
    branches.append(Branch(state: root, depth: 0, first: range.lowerBound, end: range.upperBound))
    var number = 0
    while number < branches.count {
      var branch = branches[number]
      number += 1
      let state = branch.state
      if hasFallbacks, branch.depth > 0 {
        states[Int(state)].posting = states[Int(states[Int(state)].fallback)].posting
      }
      while branch.first < branch.end, texts.entry(branch.first).count == branch.depth {
        let posting = TextIndex.Posting(texts.entry(branch.first), next: states[Int(state)].posting)
        states[Int(state)].posting = Int32(postings.count)
        postings.append(posting)
        branch.first += 1
      }
      if branch.first < branch.end { insertFollowers(of: branch, texts, root, hasFallbacks: hasFallbacks) }
    }
    return root
  }

  private mutating func insertFollowers(
    of branch: Branch, _ texts: borrowing IndexedTexts, _ root: Int32, hasFallbacks: Bool
  ) {
    let firstBranch = branches.count
    labels.removeAll()
    var start = branch.first
    while start < branch.end {
      let label = texts.byte(branch.depth, of: start)
      var end = start + 1
      while end < branch.end, texts.byte(branch.depth, of: end) == label { end += 1 }
      labels.append(label)
      branches.append(Branch(state: Int32(label), depth: branch.depth + 1, first: start, end: end))
      start = end
    }
    let base = base()
    states[Int(branch.state)].base = base
    for number in 0..<labels.count {
      let state = base ^ Int32(labels[number])
      var fallback = root
      if hasFallbacks, branch.depth > 0 {
        fallback = self.fallback(from: states[Int(branch.state)].fallback, labels[number])
      }
      take(state, parent: branch.state, fallback: fallback)
      let follower = branches[firstBranch + number]
      branches[firstBranch + number] = Branch(
        state: state, depth: follower.depth, first: follower.first, end: follower.end)
    }
  }

  /// Where to go on from a state that a byte has been read at.
  @inline(__always) func fallback(from start: Int32, _ byte: UInt8) -> Int32 {
    var state = start
    while true {
      let next = next(of: state, byte)
      if next >= 0 { return next }
      if states[Int(state)].parent == State.none { return state }
      state = states[Int(state)].fallback
    }
  }

  private mutating func take(_ place: Int32, parent: Int32, fallback: Int32) {
    states[Int(place)] = State(parent: parent, fallback: fallback)
    free[Int(place) / 64] &= ~(1 << UInt64(place % 64))
  }

  /// A base for a state that the labels follow.
  private mutating func base() -> Int32 {
    if labels.count == 1 {
      while firstFreeWord < free.count, free[firstFreeWord] == 0 { firstFreeWord += 1 }
      if firstFreeWord == free.count { addBlock() }
      return Int32(firstFreeWord * 64 + free[firstFreeWord].trailingZeroBitCount) ^ Int32(labels[0])
    }
    let blocks = states.count / Self.blockSize
    for block in max(blocks - Self.triedBlocks, 0)..<blocks {
      let base = base(inBlock: block)
      if base >= 0 { return base }
    }
    addBlock()
    return base(inBlock: blocks)
  }

  /// A base for a state that all labels follow within a block, or -1.
  private func base(inBlock block: Int) -> Int32 {
    let words = Self.blockSize / 64
    for word in block * words..<(block + 1) * words {
      var candidates = free[word]
      while candidates != 0 {
        let base = Int32(word * 64 + candidates.trailingZeroBitCount) ^ Int32(labels[0])
        if areFree(base) { return base }
        candidates &= candidates - 1
      }
    }
    return -1
  }

  private func areFree(_ base: Int32) -> Bool {
    for number in 1..<labels.count where states[Int(base ^ Int32(labels[number]))].parent != State.free { return false }
    return true
  }

  private mutating func addBlock() {
    for _ in 0..<Self.blockSize { states.append(State()) }
    for _ in 0..<Self.blockSize / 64 { free.append(.max) }
  }
}
