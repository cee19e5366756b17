import API
import FastCGI
import Host
import Matching
import Spool

/// A request's body as the events in it: one object, a JSON array of them, or NDJSON.
///
/// Whatever is read of it can be had again, if there is a folder for a copy.
struct EventBody {
  /// The longest body, in bytes.
  static let limit = 16 << 20
  /// A body up to this length, in bytes, is kept in memory while it is matched; a longer one on the disk.
  private static let smallSize = 1 << 20

  /// Whether it is NDJSON.
  let isLines: Bool
  private let body: Body
  private let folder: SpoolFolder?
  /// All of it, once it has been kept.
  private var kept: [UInt8]?
  /// What has been read of it.
  private var copy: BodyCopy?
  private var isRead = false

  private static let lines = ["application/x-ndjson", "application/ndjson", "application/jsonl"]

  /// The body of a call, of which nothing has been read, and the folder for a copy of it.
  init(_ call: Call, copyingTo folder: SpoolFolder?) throws {
    body = try call.body(of: [Call.json] + Self.lines)
    isLines = call.mediaType.map(Self.lines.contains) ?? false
    self.folder = folder
  }

  /// Keeps all of it, so that it can be read again, and answers it; nil if it has been read without a copy.
  mutating func keep() throws -> [UInt8]? {
    if kept == nil, !isRead || copy?.isWhole ?? false { kept = try (copy?.bytes() ?? []) + body.rest() }
    return kept
  }

  /// Matches every event as it is read.
  mutating func read(into intake: inout Intake, by policies: PolicySet) throws {
    if isSmall { _ = try keep() }
    if kept == nil { beginCopy() }
    isRead = true
    var events = events()
    try intake.read(&events, isLines: isLines, by: policies)
  }

  /// Whether it is kept in memory whole, and so can be matched more than once.
  var isSmall: Bool { body.announcedCount.map { $0 <= Self.smallSize } ?? false }

  private mutating func beginCopy() {
    do throws(SystemError) {
      guard let folder, try !folder.isFull(adding: body.announcedCount ?? Self.limit) else { return }
      copy = try BodyCopy(in: folder.path)
    } catch {
      Log.warning("a large body is matched without a copy", ["reason": "\(error)"])
    }
  }

  private func events() -> EventBatch {
    if let kept { return EventBatch(kept, eventLimit: Intake.eventLimit) }
    return EventBatch(count: body.announcedCount, eventLimit: Intake.eventLimit) { [body, copy] memory in
      let count = try body.read(into: memory)
      copy?.append(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory)[..<count]))
      return count
    }
  }
}
