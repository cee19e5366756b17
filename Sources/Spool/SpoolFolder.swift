import Glibc
import Host

/// The folder in which one host keeps what came in while the database was away.
///
///     <uuid>.open     a segment: records one behind the other; the process that made it may still append
///     <uuid>.sealed   a segment that nobody appends to any more, being replayed
///     replayed.json   how many events of segments that are gone were replayed
///     aside/          what could not be read or replayed, for somebody to look at
package struct SpoolFolder: Sendable {
  /// Where it is.
  package let path: String
  /// The bytes of its disk that are left free: the database may be on it as well.
  package let reserve: Int

  /// A folder that exists.
  package init(_ path: String, reserve: Int) {
    self.path = path
    self.reserve = reserve
  }

  /// The folder `spool` of the host's state directory, made if it is not there; `ALERTING_SPOOL_RESERVE` is how many MB are left
  /// free on its disk. Where it cannot be made the log says so, and the answer is nil: nothing can be kept.
  package static func configured() throws(InvalidSetting) -> SpoolFolder? {
    let megabytes = try Environment.number(
      "ALERTING_SPOOL_RESERVE", of: "megabytes", in: 0...1_000_000, usual: usualReserve)
    let path = Environment.stateDirectory + "/spool"
    do {
      try File.makeFolder(path)
      return SpoolFolder(path, reserve: megabytes << 20)
    } catch {
      Log.warning(
        "events cannot be kept here while the database is away; see ALERTING_STATE_DIRECTORY", ["reason": "\(error)"])
      return nil
    }
  }

  /// In MB.
  private static let usualReserve = 256

  /// Whether so many more bytes have no room on its disk.
  package func isFull(adding size: Int = 0) throws(SystemError) -> Bool {
    var disk = statvfs()
    guard statvfs(path, &disk) == 0 else { throw SystemError("look at the disk of \(path)", code: errno) }
    return Int(disk.f_bavail) * Int(disk.f_frsize) < reserve + size
  }

  /// Whether there is something that was kept and not yet replayed.
  package func isInUse() throws(SystemError) -> Bool {
    let segments = try segments(.open) + segments(.sealed)
    return !segments.isEmpty
  }

  /// The paths of the segments of a kind, oldest first.
  func segments(_ kind: SegmentKind) throws(SystemError) -> [String] {
    try File.names(in: path).filter { $0.hasSuffix(kind.suffix) }.sorted().map { "\(path)/\($0)" }
  }

  /// Makes what was done to the names in it last.
  func synchronize() throws(SystemError) { try File.synchronize(path) }
}

/// What is known of a segment by its name.
enum SegmentKind: String {
  case open, sealed

  var suffix: String { "." + rawValue }
}
