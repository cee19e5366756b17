import Host
import Spool
import Store

/// The bodies of several segments in the order they came in. A segment is opened when its time has come, so no more are open at
/// once than there were processes that appended.
final class SpoolMerge {
  /// What came in within so many microseconds is decided together, as of the first of it.
  private static let groupSpan = 100_000
  /// So many bytes of bodies are decided together at the most.
  private static let groupSize = 4 << 20

  private let spool: Spool
  private let store: Store
  /// The names of those that have not been opened, the oldest last.
  private var unopened: [String]
  private var cursors: [SegmentCursor] = []

  init(_ names: [String], of spool: Spool, _ store: Store) {
    self.spool = spool
    self.store = store
    unopened = names.reversed()
  }

  /// What came in next, by the bytes of the tenant's name; nil at the end.
  func next() throws -> [[UInt8]: [SpoolRecord]]? {
    var group: [[UInt8]: [SpoolRecord]] = [:]
    var (first, size) = (0, 0)
    while let cursor = try earliest(), let next = cursor.next {
      if group.isEmpty { first = next.body.receivedAt }
      size += next.body.bytes.count
      let isTooMuch = size > Self.groupSize || next.body.receivedAt > first + Self.groupSpan
      if isTooMuch, !group.isEmpty { return group }
      let record = SpoolRecord(body: next.body, range: next.range, cursor: cursor)
      group[Array(next.body.tenant.utf8), default: []].append(record)
      try cursor.advance()
    }
    return group.isEmpty ? nil : group
  }

  /// The segments that have been read to their end, each told once.
  func takeEnded() -> [SegmentCursor] {
    let ended = cursors.filter { $0.next == nil }
    if !ended.isEmpty { cursors.removeAll { $0.next == nil } }
    return ended
  }

  private func earliest() throws -> SegmentCursor? {
    while true {
      var earliest: SegmentCursor?
      for cursor in cursors where cursor.next != nil {
        if cursor.receivedAt < earliest?.receivedAt ?? .max { earliest = cursor }
      }
      guard let name = unopened.last, Self.madeAt(name) <= earliest?.receivedAt ?? .max else { return earliest }
      unopened.removeLast()
      cursors.append(try open(name))
    }
  }

  private func open(_ name: String) throws -> SegmentCursor {
    let marks = try store.replayMarks(segment: name).map { (Array($0.tenant.utf8), $0.replayedTo) }
    return try SegmentCursor(spool.open(name), of: spool, marks: Dictionary(uniqueKeysWithValues: marks))
  }

  /// When a segment was made, in microseconds since 1970: its name is a UUID of version 7, which begins with the milliseconds.
  private static func madeAt(_ name: String) -> Int {
    (Int(name.filter { $0 != "-" }.prefix(12), radix: 16) ?? 0) * 1000
  }
}

extension SegmentCursor {
  fileprivate var receivedAt: Int { next?.body.receivedAt ?? .max }
}
