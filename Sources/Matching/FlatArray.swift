/// Plain data in one stretch of memory that grows and never shrinks: what the matcher reads and writes for every event, where an
/// `Array` would count references and check that it is not shared. Indices are checked in debug builds.
struct FlatArray<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count: Int
  private var capacity: Int

  init() {
    count = 0
    capacity = 16
    base = .allocate(capacity: capacity)
  }

  init(_ elements: some Collection<Element>) {
    count = elements.count
    capacity = max(count, 1)
    base = .allocate(capacity: capacity)
    _ = UnsafeMutableBufferPointer(start: base, count: count).initialize(from: elements)
  }

  init(repeating element: Element, count: Int) {
    self.count = count
    capacity = max(count, 1)
    base = .allocate(capacity: capacity)
    base.initialize(repeating: element, count: count)
  }

  deinit { base.deallocate() }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      assert(index >= 0 && index < count)
      return base[index]
    }
    @inline(__always) set {
      assert(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  @inline(__always) mutating func append(_ element: Element) {
    if count == capacity { grow(toHold: count + 1) }
    base[count] = element
    count += 1
  }

  mutating func append(_ elements: UnsafeBufferPointer<Element>) {
    if count + elements.count > capacity { grow(toHold: count + elements.count) }
    _ = UnsafeMutableBufferPointer(start: base + count, count: elements.count).initialize(from: elements)
    count += elements.count
  }

  /// Forgets all elements and keeps the memory.
  mutating func removeAll() { count = 0 }

  /// A view of elements that holds until the next append.
  func view(_ start: Int, _ count: Int) -> UnsafeBufferPointer<Element> {
    assert(start >= 0 && start + count <= self.count)
    return UnsafeBufferPointer(start: base + start, count: count)
  }

  /// Sorts the elements; equal ones come in no particular order.
  mutating func sort(by isBefore: (Element, Element) -> Bool) {
    var elements = UnsafeMutableBufferPointer(start: base, count: count)
    elements.sort(by: isBefore)
  }

  @inline(never) private mutating func grow(toHold needed: Int) {
    capacity = max(needed, capacity * 2)
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    base = larger
  }
}

extension FlatArray<UInt8> {
  /// Appends the bytes of a word in the order in which they are in memory.
  @inline(__always) mutating func append(bytesOf word: UInt64) {
    if count + 8 > capacity { grow(toHold: count + 8) }
    UnsafeMutableRawPointer(base + count).storeBytes(of: word, as: UInt64.self)
    count += 8
  }
}
