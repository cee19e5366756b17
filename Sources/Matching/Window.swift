/// The part of a body that has been read and not been passed yet, in one stretch of memory: it slides over a body of any length,
/// and grows only where something does not fit in it.
struct Window: ~Copyable {
  /// Fills memory with the body's next bytes and tells how many there were: fewer than it has room for only at the end.
  typealias Source = (UnsafeMutableBufferPointer<UInt8>) throws -> Int

  private let source: Source
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var start = 0
  private var end = 0
  /// How many bytes of the body stand before the window.
  private(set) var offset = 0
  /// Whether the body ends where the window ends.
  private(set) var isAtEnd = false
  /// How often the window has been extended, which moves what is in it.
  private(set) var extensionCount = 0

  /// A window of so many bytes at first.
  init(capacity: Int, source: @escaping Source) {
    self.capacity = max(capacity, 16)
    memory = .allocate(capacity: self.capacity)
    self.source = source
  }

  deinit { memory.deallocate() }

  /// What is in the window. It is void after the next change.
  var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: place, count: end - start) }

  /// Where the window begins. It is void after the next change.
  var place: UnsafePointer<UInt8> { UnsafePointer(memory + start) }

  /// Passes over bytes in the window.
  mutating func pass(_ count: Int) {
    start += count
    offset += count
  }

  /// Reads on behind what is in the window, at least one byte unless the body ends.
  mutating func extend() throws {
    extensionCount += 1
    if start > 0 {
      memory.update(from: memory + start, count: end - start)
      end -= start
      start = 0
    }
    if end == capacity { grow() }
    let room = UnsafeMutableBufferPointer(start: memory + end, count: capacity - end)
    let count = try source(room)
    end += count
    isAtEnd = count < room.count
  }

  private mutating func grow() {
    capacity *= 2
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.moveInitialize(from: memory, count: end)
    memory.deallocate()
    memory = larger
  }

  /// Passes over white space and tells the byte behind it; nil at the end of the body.
  mutating func skipSpace() throws -> UInt8? {
    while true {
      if let count = bytes.firstIndex(where: { !$0.isSpace }) {
        pass(count)
        return bytes[0]
      }
      pass(bytes.count)
      if isAtEnd { return nil }
      try extend()
    }
  }
}

extension UInt8 {
  /// White space of JSON: space, tab, line feed, carriage return.
  var isSpace: Bool { self == 0x20 || self == 0x0A || self == 0x0D || self == 0x09 }
}
