import Host
import Spool

/// Where a replay is in one segment.
final class SegmentCursor {
  let reader: SegmentReader
  /// The next body and the bytes that it takes; nil at the end.
  private(set) var next: (body: SpooledBody, range: Range<Int>)?
  /// Whether all that has been read so far is done with.
  var isDone = true
  /// How many events its bodies have so far.
  private(set) var events = 0
  /// When the last of them came in, in microseconds since 1970.
  private(set) var lastReceivedAt = 0
  /// How far the segment had been replayed before, by the bytes of the tenant's name: Swift takes canonically equivalent texts
  /// for one, PostgreSQL does not.
  private let marks: [[UInt8]: Int]
  private let spool: Spool

  init(_ reader: SegmentReader, of spool: Spool, marks: [[UInt8]: Int]) throws(SystemError) {
    self.reader = reader
    self.spool = spool
    self.marks = marks
    try advance()
  }

  /// Goes on to the next body that has not had its effects. What is damaged is set aside, and told.
  func advance() throws(SystemError) {
    next = nil
    while let (entry, range) = try reader.next() {
      switch entry {
      case .body(let body):
        events += body.events
        lastReceivedAt = max(lastReceivedAt, body.receivedAt)
        if range.lowerBound < marks[Array(body.tenant.utf8)] ?? 0 { continue }
        next = (body, range)
        return
      case .torn:
        Log.warning(
          "the beginning of a record is cut, whose sender was never told that it is kept",
          ["segment": reader.name, "bytes": "\(range.count)"])
      case .corrupt(let reason):
        try setAside(range, because: reason)
      }
    }
  }

  /// Puts bytes where somebody can look at them.
  func setAside(_ range: Range<Int>, because reason: String) throws(SystemError) {
    let path = try spool.setAside(range, of: reader)
    Log.error(
      "what was spooled cannot be replayed and is set aside",
      ["file": path, "bytes": "\(range.count)", "reason": reason])
  }
}
