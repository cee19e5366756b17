import Glibc
import Synchronization

/// Token buckets that all processes of a host have in common: a table in a file that each of them maps into its memory.
///
/// A bucket is one number, the moment at which it will be full again (the generic cell rate algorithm), and is changed by one
/// atomic exchange: nobody waits, and who dies leaves nothing locked. The table is a cache without promises over a restart of
/// the machine. Where more buckets are wanted at a time than it has room for, some share one, and are stricter for it.
package final class TokenBuckets {
  /// How fast a bucket fills, and how much it holds.
  package struct Rate: Sendable, Equatable {
    /// Tokens that come in a second, at least 1.
    package let perSecond: Int
    /// The most that are there, at least 1.
    package let capacity: Int

    /// A rate.
    package init(perSecond: Int, capacity: Int) {
      self.perSecond = max(1, perSecond)
      self.capacity = max(1, capacity)
    }

    /// The nanoseconds in which one token comes.
    fileprivate var interval: UInt64 { max(1, 1_000_000_000 / UInt64(perSecond)) }
    /// The nanoseconds in which an empty bucket becomes full.
    fileprivate var fillTime: UInt64 { interval * UInt64(capacity) }
  }

  /// What a bucket had when a token was asked of it.
  package struct Level: Sendable, Equatable {
    /// Whether there was a token, which is taken now.
    package let isGranted: Bool
    /// The tokens that are left.
    package let left: Int
    /// Seconds until it is full again.
    package let secondsToFull: Double
    /// Seconds until there is a token; 0 where one was granted.
    package let secondsToNext: Double
  }

  private struct Slot: ~Copyable {
    /// The bucket that it belongs to; 0 for nobody's.
    let owner = Atomic<UInt64>(0)
    /// When the bucket is full again, in nanoseconds of the monotonic clock.
    let fullAt = Atomic<UInt64>(0)
  }

  private static let slots = 16_384
  /// How much later than its own moment a process may get to a bucket, in nanoseconds. What lies further ahead than a fill and
  /// this is of another rate, or from before the machine was started.
  private static let lag: UInt64 = 1_000_000_000
  /// What lies so far ahead, in nanoseconds, is of nobody who is there: no bucket takes a minute to fill.
  private static let longestFill: UInt64 = 60_000_000_000
  /// How many neighbouring slots a bucket may be in.
  private static let neighbours = 8
  private static var size: Int { slots * MemoryLayout<Slot>.stride }

  private let table: UnsafeMutableRawPointer

  /// The buckets in a file, which is made if it is not there.
  package init(path: String) throws(SystemError) {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("open \(path)", code: errno) }
    defer { close(descriptor) }
    // A table of zeros is an empty one, so that it is no matter who is first.
    guard ftruncate(descriptor, off_t(Self.size)) == 0 else { throw SystemError("write \(path)", code: errno) }
    let memory = mmap(nil, Self.size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
    guard let memory, memory != MAP_FAILED else { throw SystemError("map \(path)", code: errno) }
    table = memory
  }

  deinit { munmap(table, Self.size) }

  /// Asks for a token of the bucket of a name, at a moment in nanoseconds of the monotonic clock.
  package func take(_ name: String, _ rate: Rate, at now: UInt64 = monotonicNanoseconds) -> Level {
    let slot = slot(of: Self.hash(name), at: now)
    var known = slot.pointee.fullAt.load(ordering: .relaxed)
    while true {
      // A little further ahead than a fill is what somebody else has done since this moment was taken.
      let fullAt = known > now + rate.fillTime + Self.lag ? now : max(known, now)
      let next = fullAt + rate.interval
      guard next <= now + rate.fillTime else {
        return Level(
          isGranted: false, left: 0, secondsToFull: Double(fullAt - now) / 1e9,
          secondsToNext: Double(next - now - rate.fillTime) / 1e9)
      }
      let (isExchanged, original) = slot.pointee.fullAt.compareExchange(
        expected: known, desired: next, ordering: .relaxed)
      if isExchanged {
        return Level(
          isGranted: true, left: Int((now + rate.fillTime - next) / rate.interval),
          secondsToFull: Double(next - now) / 1e9, secondsToNext: 0)
      }
      known = original
    }
  }

  /// The moment that it is.
  package static var monotonicNanoseconds: UInt64 { UInt64(Clock.monotonic * 1e9) }

  /// The bucket's own slot, or one that it takes over: nobody's, or one whose bucket is full and so says nothing.
  private func slot(of owner: UInt64, at now: UInt64) -> UnsafeMutablePointer<Slot> {
    let places = (0..<Self.neighbours).map { slot(at: (Int(truncatingIfNeeded: owner) &+ $0) & (Self.slots - 1)) }
    if let own = places.first(where: { $0.pointee.owner.load(ordering: .relaxed) == owner }) { return own }
    for place in places {
      let other = place.pointee.owner.load(ordering: .relaxed)
      let fullAt = place.pointee.fullAt.load(ordering: .relaxed)
      guard other == 0 || fullAt <= now || fullAt > now + Self.longestFill else { continue }
      let (isTaken, holder) = place.pointee.owner.compareExchange(expected: other, desired: owner, ordering: .relaxed)
      if isTaken || holder == owner { return place }
    }
    return places[0]
  }

  private func slot(at index: Int) -> UnsafeMutablePointer<Slot> {
    (table + index * MemoryLayout<Slot>.stride).assumingMemoryBound(to: Slot.self)
  }

  /// FNV-1a with 64 bits, the same in all processes; never 0.
  private static func hash(_ name: String) -> UInt64 {
    max(1, name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 })
  }
}
