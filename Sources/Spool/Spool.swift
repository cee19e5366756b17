import Glibc
import Host
import JSON

/// What was spooled, for the one process of the host that replays it.
package final class Spool {
  private let folder: SpoolFolder
  private let lock: FileLock

  /// Takes hold of a folder; nil while another process has it.
  package init?(_ folder: SpoolFolder) throws(SystemError) {
    self.folder = folder
    lock = try FileLock("\(folder.path)/lock")
    guard lock.take() else { return nil }
  }

  /// Whether there is anything to replay.
  package func isEmpty() throws(SystemError) -> Bool { try !folder.isInUse() }

  /// The names of what nobody appends to any more, oldest first. With `sealingMore`, what is there so far is sealed first;
  /// without it only if there is nothing else.
  package func sealed(sealingMore: Bool) throws(SystemError) -> [String] {
    let before = try folder.segments(.sealed)
    if sealingMore || before.isEmpty {
      for path in try folder.segments(.open) { try seal(path) }
    }
    let done = try Replayed(in: folder)
    var names: [String] = []
    for path in try folder.segments(.sealed) {
      let name = SegmentReader.name(of: path)
      if done.contains(name) { try delete(path) } else { names.append(name) }
    }
    return names
  }

  /// Opens a segment that is sealed.
  package func open(_ name: String) throws(SystemError) -> SegmentReader { try SegmentReader(path(of: name)) }

  private func seal(_ path: String) throws(SystemError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open \(path)", code: errno) }
    defer { close(descriptor) }
    // Whoever appends holds the lock until its record is on disk.
    guard flock(descriptor, LOCK_EX) == 0 else { throw SystemError("lock \(path)", code: errno) }
    try File.rename(path, to: path.dropLast(SegmentKind.open.suffix.count) + SegmentKind.sealed.suffix)
  }

  /// Forgets a segment that was replayed to its end: ``events` of its events took effect, and the last of them came in at `last`, in
  /// microseconds since 1970.
  package func finish(_ reader: SegmentReader, events: Int, last: Int) throws(SystemError) {
    do throws(SystemError) {
      var done = try Replayed(in: folder)
      done.add(reader.name, events: events, last: last)
      try done.write(in: folder)
    } catch {
      // A disk without room is emptied all the same: the account only tells how many events an outage affected.
      Log.warning("how many events were replayed is not on record", ["error": "\(error)"])
    }
    try delete(path(of: reader.name))
  }

  /// Copies bytes of a segment to `aside/`, for somebody to look at, and answers where.
  package func setAside(_ range: Range<Int>, of reader: SegmentReader) throws(SystemError) -> String {
    let aside = "\(folder.path)/aside"
    guard mkdir(aside, 0o700) == 0 || errno == EEXIST else { throw SystemError("make \(aside)", code: errno) }
    let path = "\(aside)/\(reader.name)-\(range.lowerBound)"
    try File.replace(path, with: reader.bytes(in: range))
    return path
  }

  private func path(of name: String) -> String { "\(folder.path)/\(name)\(SegmentKind.sealed.suffix)" }

  private func delete(_ path: String) throws(SystemError) {
    guard unlink(path) == 0 else { throw SystemError("remove \(path)", code: errno) }
    try folder.synchronize()
  }
}

extension SpoolFolder {
  /// How many events were taken into the spool since a moment, in seconds since 1970, replayed or not, to the segment: of one
  /// that was appended to since then, all.
  package func events(since moment: Int) throws(SystemError) -> Int {
    while true {
      let done = try Replayed(in: self)
      let waiting = try events(inSegmentsSince: moment, besides: done)
      // A segment that was finished meanwhile may have been counted on neither side.
      if try Replayed(in: self) == done { return waiting + done.events(since: moment) }
    }
  }

  private func events(inSegmentsSince moment: Int, besides done: Replayed) throws(SystemError) -> Int {
    var events = 0
    for path in try segments(.open) + segments(.sealed) {
      var status = stat()
      guard stat(path, &status) == 0, status.st_mtim.tv_sec >= moment else { continue }
      do throws(SystemError) {
        let reader = try SegmentReader(path)
        if !done.contains(reader.name) { events += try reader.countEvents() }
      } catch  where error.code == ENOENT {
        continue
      }
    }
    return events
  }
}

/// The segments that were replayed last.
private struct Replayed: Equatable {
  private struct Segment: Equatable {
    let name: String
    let events: Int
    let last: Int

    init(name: String, events: Int, last: Int) {
      (self.name, self.events, self.last) = (name, events, last)
    }

    init(json: JSONValue) throws(JSONFaults) {
      var reader = try ObjectReader(json)
      name = reader.requiredString("segment")
      reader.require("events")
      events = reader.integer("events", in: 0...Int.max) ?? 0
      reader.require("last_received_at_us")
      last = reader.integer("last_received_at_us", in: 0...Int.max) ?? 0
      try reader.finish()
    }
  }

  /// As many are remembered: far more than one outage leaves.
  private static let limit = 1000

  private var segments: [Segment] = []

  /// What the folder's file says; nothing where there is none, or one that cannot be read: it only serves to tell how many
  /// events an outage affected.
  init(in folder: SpoolFolder) throws(SystemError) {
    let text: [UInt8]
    do throws(SystemError) {
      text = try File.read(Self.path(in: folder))
    } catch {
      if error.code == ENOENT { return }
      throw error
    }
    do {
      let elements = try JSONValue(parsing: text)
      guard case .array(let elements) = elements else { throw JSONFaults("must be an array, not \(elements.kind)") }
      segments = try elements.map(Segment.init(json:))
    } catch {
      Log.warning("the account of what was replayed cannot be read and begins anew", ["error": "\(error)"])
    }
  }

  private static func path(in folder: SpoolFolder) -> String { "\(folder.path)/replayed.json" }

  func contains(_ name: String) -> Bool { segments.contains { $0.name == name } }

  func events(since moment: Int) -> Int {
    segments.reduce(0) { $0 + ($1.last >= moment * 1_000_000 ? $1.events : 0) }
  }

  mutating func add(_ name: String, events: Int, last: Int) {
    segments.append(Segment(name: name, events: events, last: last))
    segments.removeFirst(max(0, segments.count - Self.limit))
  }

  func write(in folder: SpoolFolder) throws(SystemError) {
    var writer = JSONWriter()
    writer.array(segments) { segment, writer in
      writer.object { members in
        members.add("segment", segment.name)
        members.add("events", segment.events)
        members.add("last_received_at_us", segment.last)
      }
    }
    try File.replace(Self.path(in: folder), with: writer.bytes)
  }
}
