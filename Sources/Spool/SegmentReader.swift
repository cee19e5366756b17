import Glibc
import Host

/// What lies at a place of a segment.
package enum SpoolEntry: Equatable, Sendable {
  /// A body that is whole.
  case body(SpooledBody)
  /// Bytes that are no record, and why: something has changed them since they were written, or another version wrote them.
  case corrupt(reason: String)
  /// The beginning of a record at the segment's end, whose writer was killed or had no room: nobody was told that it is kept.
  case torn
}

/// Reads a segment from front to back.
package final class SegmentReader {
  /// The segment's name without what says its kind.
  package let name: String
  /// How many bytes it has.
  package let size: Int
  private let path: String
  private let descriptor: CInt
  private var offset = 0

  /// Opens the segment at a path.
  init(_ path: String) throws(SystemError) {
    self.path = path
    name = Self.name(of: path)
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open \(path)", code: errno) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      close(descriptor)
      throw SystemError("look at \(path)", code: errno)
    }
    size = Int(status.st_size)
  }

  deinit { close(descriptor) }

  /// The name of the segment at a path.
  static func name(of path: String) -> String { String((path.split(separator: "/").last ?? "").prefix { $0 != "." }) }

  /// The next entry and the bytes that it takes, from `range.lowerBound` to `range.upperBound`; nil at the end.
  package func next() throws(SystemError) -> (entry: SpoolEntry, range: Range<Int>)? {
    guard offset < size else { return nil }
    let start = offset
    if let frame = try frame(at: start) {
      guard start + frame.size <= size else {
        offset = size
        return (.torn, start..<size)
      }
      let payload = try bytes(at: start + Frame.headerSize, count: frame.length)
      offset = start + frame.size
      return (entry(of: frame, payload), start..<offset)
    }
    if Frame.mayBeTornHeader(try bytes(at: start, count: min(Frame.headerSize, size - start))[...]) {
      offset = size
      return (.torn, start..<size)
    }
    offset = try nextFrame(after: start)
    return (.corrupt(reason: "no record begins here"), start..<offset)
  }

  private func entry(of frame: Frame, _ payload: [UInt8]) -> SpoolEntry {
    guard frame.fits(payload) else { return .corrupt(reason: "the checksum is another") }
    do {
      return .body(try SpooledBody(payload: payload, events: frame.events))
    } catch {
      return .corrupt(reason: "what is said of the body cannot be read: \(error)")
    }
  }

  /// The bytes of a range, such as that of an entry.
  package func bytes(in range: Range<Int>) throws(SystemError) -> [UInt8] {
    try bytes(at: range.lowerBound, count: range.count)
  }

  /// How many events the records have that are left, as their headers say.
  func countEvents() throws(SystemError) -> Int {
    var (events, place) = (0, offset)
    while place < size {
      if let frame = try frame(at: place) {
        if place + frame.size <= size { events += frame.events }
        place += frame.size
      } else {
        place = try nextFrame(after: place)
      }
    }
    return events
  }

  private func frame(at place: Int) throws(SystemError) -> Frame? {
    guard place + Frame.headerSize <= size else { return nil }
    return Frame(header: try bytes(at: place, count: Frame.headerSize)[...])
  }

  /// Where behind a place the next header is, or the end.
  private func nextFrame(after place: Int) throws(SystemError) -> Int {
    var start = place + 1
    while start + Frame.headerSize <= size {
      let window = try bytes(at: start, count: min(Self.windowSize, size - start))
      for candidate in Frame.candidates(in: window) where try frame(at: start + candidate) != nil {
        return start + candidate
      }
      // A header may begin at the end of this window.
      start += max(1, window.count - Frame.headerSize)
    }
    return size
  }

  private static let windowSize = 1 << 16

  private func bytes(at place: Int, count: Int) throws(SystemError) -> [UInt8] {
    var failure: CInt = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { memory, filled in
      while filled < count, failure == 0 {
        let read = pread(descriptor, memory.baseAddress.map { $0 + filled }, count - filled, off_t(place + filled))
        if read > 0 {
          filled += read
        } else if read == 0 || errno != EINTR {
          failure = read == 0 ? EIO : errno
        }
      }
    }
    guard failure == 0 else { throw SystemError("read \(path)", code: failure) }
    return bytes
  }
}
