import Glibc
import Host

/// Appends bodies to a segment of its own process, each on disk for good before ``append(_:)`` returns.
package final class SpoolWriter {
  /// A segment that has grown to so many bytes is left and another one begun.
  private static let segmentSize = 64 << 20

  private let folder: SpoolFolder
  private var segment: Segment?

  /// A writer that has written nothing yet.
  package init(_ folder: SpoolFolder) {
    // A write past a limit on the size of files is to fail like one to a full disk, not to end the process.
    signal(SIGXFSZ, SIG_IGN)
    self.folder = folder
  }

  /// Keeps a body and answers the id that it has in the spool. Throws if it cannot be kept; then nothing of it is.
  package func append(_ body: SpooledBody) throws(SpoolFault) -> String {
    let payload = body.payload
    guard payload.count <= Frame.payloadLimit else {
      throw .failed(SystemError("keep a body of \(payload.count) bytes", code: EMSGSIZE))
    }
    let record = Frame.record(payload, events: body.events)
    do throws(SystemError) {
      guard try !folder.isFull(adding: record.count) else {
        throw SystemError("keep \(folder.reserve >> 20) MB of the spool's disk free", code: ENOSPC)
      }
      return try append(record)
    } catch {
      // What the segment holds is kept; who knows what else can be written to it.
      segment = nil
      throw [ENOSPC, EDQUOT, EFBIG].contains(error.code) ? .full(reason: "\(error)") : .failed(error)
    }
  }

  private func append(_ record: [UInt8]) throws(SystemError) -> String {
    let segment = try usableSegment()
    defer { segment.unlock() }
    let offset = try segment.append(record)
    if offset + record.count >= Self.segmentSize { self.segment = nil }
    return SpoolID(segment: segment.name, offset: offset).text
  }

  /// The segment in hand, locked, or a new one where there is none or it was sealed meanwhile.
  private func usableSegment() throws(SystemError) -> Segment {
    for _ in 0...Self.sealLimit {
      if let segment, try segment.lock() { return segment }
      segment = try Segment(in: folder)
    }
    throw SystemError("lock a segment in \(folder.path)", code: ESTALE)
  }

  /// How often a new segment may be sealed before this process has appended to it.
  private static let sealLimit = 5
}

/// Which record of a spool it is: where it begins in which segment.
package struct SpoolID: Equatable, Sendable {
  /// The segment's name without what says its kind, a UUID.
  package let segment: String
  /// Where in the segment it begins, in bytes.
  package let offset: Int

  /// The id as clients and operators see it.
  package var text: String { "spool-\(segment)-\(offset)" }
}

/// A segment that its process appends to.
private final class Segment {
  let name: String
  let path: String
  private let descriptor: CInt

  init(in folder: SpoolFolder) throws(SystemError) {
    name = Identifier.make("")
    path = "\(folder.path)/\(name)\(SegmentKind.open.suffix)"
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("make \(path)", code: errno) }
    try folder.synchronize()
  }

  deinit { close(descriptor) }

  /// Takes the lock under which a segment is appended to or sealed; false if it was sealed.
  func lock() throws(SystemError) -> Bool {
    guard flock(descriptor, LOCK_EX) == 0 else { throw SystemError("lock \(path)", code: errno) }
    var (mine, named) = (stat(), stat())
    guard fstat(descriptor, &mine) == 0 else { throw SystemError("look at \(path)", code: errno) }
    if stat(path, &named) == 0, named.st_ino == mine.st_ino { return true }
    unlock()
    return false
  }

  func unlock() { flock(descriptor, LOCK_UN) }

  /// Appends a record, waits until it is on disk, and tells where it begins. What cannot be written whole is taken back.
  func append(_ record: [UInt8]) throws(SystemError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw SystemError("look at \(path)", code: errno) }
    let offset = Int(status.st_size)
    do throws(SystemError) {
      try File.write(record, to: descriptor, path)
      guard fdatasync(descriptor) == 0 else { throw SystemError("write \(path)", code: errno) }
    } catch {
      // If this fails as well, the reader finds a record that is torn and cuts it.
      ftruncate(descriptor, off_t(offset))
      if offset == 0 { unlink(path) }
      throw error
    }
    return offset
  }
}
