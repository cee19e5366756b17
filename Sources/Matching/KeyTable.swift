/// A hash table from bytes, each in one of many numbered groups, to numbers from 0. It is built once and looked up for every
/// event, so an unsuccessful look-up usually touches one cache line.
struct KeyTable: ~Copyable {
  // These are not private because Swift 6.3 fails to emit a FlatArray of a private type that a third file holds.
  struct Slot {
    var tag: UInt32
    /// The index of the entry, -1 where the slot is free.
    var entry: Int32
  }

  struct Entry {
    var hash: UInt64
    var group: Int32
    var value: Int32
    var start: Int
    var count: Int
  }

  private var slots = FlatArray(repeating: Slot(tag: 0, entry: -1), count: 64)
  private var entries = FlatArray<Entry>()
  private var bytes = FlatArray<UInt8>()
  private let hash = ByteHash()

  /// The value of a key, or -1.
  @inline(__always) func value(of key: UnsafeBufferPointer<UInt8>, in group: Int32) -> Int32 {
    let hash = hash(key, group)
    let entry = slots[slot(for: key, hash, group)].entry
    return entry < 0 ? -1 : entries[Int(entry)].value
  }

  /// Adds a key with a value unless it is there, and tells the value that it then has.
  mutating func insert(_ key: UnsafeBufferPointer<UInt8>, in group: Int32, value: Int32) -> Int32 {
    let hash = hash(key, group)
    let free = slot(for: key, hash, group)
    guard slots[free].entry < 0 else { return entries[Int(slots[free].entry)].value }
    slots[free] = Slot(tag: UInt32(truncatingIfNeeded: hash >> 32), entry: Int32(entries.count))
    entries.append(Entry(hash: hash, group: group, value: value, start: bytes.count, count: key.count))
    bytes.append(key)
    if entries.count * 2 > slots.count { grow() }
    return value
  }

  /// The slot that holds the key, or the free one where it belongs.
  @inline(__always) private func slot(for key: UnsafeBufferPointer<UInt8>, _ hash: UInt64, _ group: Int32) -> Int {
    let tag = UInt32(truncatingIfNeeded: hash >> 32)
    var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[index].entry >= 0 {
      if slots[index].tag == tag {
        let entry = entries[Int(slots[index].entry)]
        if entry.group == group, bytes.view(entry.start, entry.count).isEqual(to: key) { return index }
      }
      index = (index + 1) & (slots.count - 1)
    }
    return index
  }

  private mutating func grow() {
    slots = FlatArray(repeating: Slot(tag: 0, entry: -1), count: slots.count * 2)
    for number in 0..<entries.count {
      let hash = entries[number].hash
      var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
      while slots[index].entry >= 0 { index = (index + 1) & (slots.count - 1) }
      slots[index] = Slot(tag: UInt32(truncatingIfNeeded: hash >> 32), entry: Int32(number))
    }
  }
}

/// A hash of bytes that reads 16 of them at a time and folds products of 64 × 64 bits. Its seed is drawn anew for each table, so
/// that nobody can prepare keys that collide.
struct ByteHash {
  private let seed = UInt64.random(in: .min ... .max)
  private let factor = UInt64.random(in: .min ... .max) | 1

  @inline(__always) func callAsFunction(_ key: UnsafeBufferPointer<UInt8>, _ group: Int32) -> UInt64 {
    var state = seed ^ UInt64(truncatingIfNeeded: group) &* 0x9E37_79B9_7F4A_7C15
    guard let base = UnsafeRawPointer(key.baseAddress) else { return mixed(state, factor) }
    var rest = key.count
    var position = base
    while rest > 16 {
      state = mixed(state ^ word(position), factor ^ word(position + 8))
      position += 16
      rest -= 16
    }
    var first: UInt64 = 0
    var last: UInt64 = 0
    if rest >= 8 {
      first = word(position)
      last = word(position + rest - 8)
    } else if rest >= 4 {
      first = UInt64(position.loadUnaligned(as: UInt32.self))
      last = UInt64((position + rest - 4).loadUnaligned(as: UInt32.self))
    } else if rest > 0 {
      first = UInt64(position.load(as: UInt8.self)) << 8 | UInt64((position + rest / 2).load(as: UInt8.self))
      last = UInt64((position + rest - 1).load(as: UInt8.self))
    }
    return mixed(mixed(state ^ first, factor ^ last), factor ^ UInt64(truncatingIfNeeded: key.count))
  }

  @inline(__always) private func word(_ position: UnsafeRawPointer) -> UInt64 {
    position.loadUnaligned(as: UInt64.self)
  }

  @inline(__always) private func mixed(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}
