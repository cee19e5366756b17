/// Why there is no request content, or no more of it.
package enum BodyError: Error, Equatable, Sendable {
  /// It is longer than this many bytes; the rest was not read.
  case tooLarge(limit: Int)
  /// Less came than was announced, or the announcement is no number: as a rule the client has gone away.
  case incomplete
}

/// The content of one request, read from the web server as it is asked for: from front to back, once, and before the answer is
/// given.
package final class Body {
  /// The most bytes that are read.
  private let limit: Int
  /// The text of `CONTENT_LENGTH`; without one, the content ends with the input.
  private let announced: String?
  /// Fills memory as far as it can; less than the whole only at the end.
  private let fill: (UnsafeMutableBufferPointer<UInt8>) -> Int
  private var count = 0

  init(limit: Int, announced: String?, fill: @escaping (UnsafeMutableBufferPointer<UInt8>) -> Int) {
    self.limit = limit
    self.announced = announced
    self.fill = fill
  }

  /// The content of a request that has none.
  convenience init() { self.init(limit: 0, announced: "0") { _ in 0 } }

  /// How many bytes there will be, as far as that was said.
  package var announcedCount: Int? { announced.flatMap { Int($0) } }

  /// Whether as much has been read as was announced: nothing where nothing was.
  var isRead: Bool { count == announcedCount ?? 0 }

  /// Fills memory with the next bytes and tells how many there were: fewer than it has room for only at the end.
  package func read(into memory: UnsafeMutableBufferPointer<UInt8>) throws(BodyError) -> Int {
    let wanted = min(memory.count, try announcedRest() ?? Int.max)
    let read = fill(UnsafeMutableBufferPointer(rebasing: memory[..<wanted]))
    count += read
    if announced != nil, read < wanted { throw .incomplete }
    guard count <= limit else { throw .tooLarge(limit: limit) }
    return read
  }

  /// All bytes that have not been read yet.
  package func rest() throws(BodyError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: try announcedRest() ?? Self.pieceSize)
    var filled = 0
    while true {
      let read = bytes.withUnsafeMutableBufferPointer { memory in
        Result { () throws(BodyError) in try self.read(into: UnsafeMutableBufferPointer(rebasing: memory[filled...])) }
      }
      filled += try read.get()
      if filled < bytes.count || announced != nil {
        bytes.removeLast(bytes.count - filled)
        return bytes
      }
      bytes += [UInt8](repeating: 0, count: filled)
    }
  }

  /// Takes what has not been read, however much that is, and drops it.
  func drop() {
    var bytes = [UInt8](repeating: 0, count: Self.pieceSize)
    var rest = announced == nil ? Int.max : (announcedCount ?? 0) - count
    while rest > 0 {
      let wanted = min(rest, bytes.count)
      let taken = bytes.withUnsafeMutableBufferPointer { fill(UnsafeMutableBufferPointer(rebasing: $0[..<wanted])) }
      if taken < wanted { return }
      rest -= taken
    }
  }

  private static let pieceSize = 65536

  /// How many bytes are still to come as it was announced; nil if nothing was.
  private func announcedRest() throws(BodyError) -> Int? {
    if announced == nil { return nil }
    guard let length = announcedCount, length >= 0 else { throw .incomplete }
    guard length <= limit else { throw .tooLarge(limit: limit) }
    return length - count
  }
}
