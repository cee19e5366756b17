import JSON

/// The events of one request body, found in it as it is read, so that each can be matched in place and forgotten.
///
/// No more of the body is held than a window in which the event in hand fits; only an array that is broken, or that has an
/// element past the limit, is held from there on.
package struct EventBatch: ~Copyable {
  /// What the body is, by its first byte that is not white space.
  package enum Kind: Sendable {
    /// Nothing, not even white space.
    case empty
    /// An array, which is a batch of events.
    case array
    /// An object, which is an event.
    case object
    /// Anything else, which is no event.
    case other
  }

  /// The longest event, in bytes.
  private let eventLimit: Int
  private var window: Window

  /// Reads a body from `source`, which fills memory with the next bytes and tells how many there were: fewer than it has room
  /// for only at the end. `count` is how many bytes are expected, where that is known. The window has so many bytes as long as
  /// no event needs more.
  package init(
    count: Int?, eventLimit: Int, windowSize: Int = 1 << 17,
    source: @escaping (UnsafeMutableBufferPointer<UInt8>) throws -> Int
  ) {
    // A body that is shorter than the window is read in one go, its end included.
    window = Window(capacity: min(count ?? windowSize, windowSize - 1) + 1, source: source)
    self.eventLimit = eventLimit
  }

  /// Reads a body that is all there.
  package init(_ bytes: [UInt8], eventLimit: Int) {
    var rest = bytes[...]
    self.init(count: bytes.count, eventLimit: eventLimit) { memory in
      let piece = rest.prefix(memory.count)
      rest = rest.dropFirst(piece.count)
      return memory.update(fromContentsOf: piece)
    }
  }

  /// Tells what the body is, having read as much of it as that needs.
  package mutating func kind() throws -> Kind {
    switch try window.skipSpace() {
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "{"): .object
    case nil where window.offset == 0: .empty
    default: .other
    }
  }

  /// Calls with each line of an NDJSON body; blank ones are passed over. In the place of one that is longer than the limit comes
  /// nil. What is wrong with a line is found when it is matched, so a bad one costs only itself.
  package mutating func lines(_ body: (Span<UInt8>?) throws -> Void) throws {
    while true {
      if let count = window.bytes.firstOffset(of: 0x0A), count <= eventLimit {
        try line(count, body)
        window.pass(1)
      } else if window.bytes.count > eventLimit {
        if try skipLine() { try body(nil) }
      } else if window.isAtEnd {
        return try line(window.bytes.count, body)
      } else {
        try window.extend()
      }
    }
  }

  private mutating func line(_ count: Int, _ body: (Span<UInt8>?) throws -> Void) throws {
    let bytes = UnsafeBufferPointer(rebasing: window.bytes[..<count])
    if !bytes.allSatisfy(\.isSpace) { try body(bytes.span) }
    window.pass(count)
  }

  /// Passes over a line of any length and its end, and tells whether it has anything but white space.
  private mutating func skipLine() throws -> Bool {
    var isBlank = true
    while true {
      let end = window.bytes.firstOffset(of: 0x0A)
      isBlank = window.bytes[..<(end ?? window.bytes.count)].allSatisfy(\.isSpace) && isBlank
      window.pass(end.map { $0 + 1 } ?? window.bytes.count)
      if end != nil || window.isAtEnd { return !isBlank }
      try window.extend()
    }
  }

  /// Calls with each element of a body that is a JSON array, whatever it is; each may nest ``JSON/JSONValue/depthLimit`` deep. In
  /// the place of one that is longer than the limit comes nil. The array is one document: a syntax error anywhere in it throws,
  /// with its byte offset, but only once the events before it have been called with.
  package mutating func elements(_ body: (Span<UInt8>?) throws -> Void) throws {
    guard try window.skipSpace() == UInt8(ascii: "[") else { throw error("expected an array") }
    window.pass(1)
    if try window.skipSpace() == UInt8(ascii: "]") {
      window.pass(1)
    } else {
      var scanner = ElementScanner(window)
      var next: UInt8? = UInt8(ascii: ",")
      while next == UInt8(ascii: ",") {
        _ = try window.skipSpace()
        let count = try elementCount(&scanner)
        try body(count > eventLimit ? nil : UnsafeBufferPointer(rebasing: window.bytes[..<count]).span)
        window.pass(count)
        next = try window.skipSpace()
        if next == UInt8(ascii: ",") || next == UInt8(ascii: "]") { window.pass(1) }
      }
      guard next == UInt8(ascii: "]") else { throw error("expected ',' or ']'") }
    }
    guard try window.skipSpace() == nil else { throw error("unexpected text behind the JSON value") }
  }

  /// How many bytes the value has that the window begins with. What looks like an error, or like the end of a number, may be
  /// where the window ends.
  private mutating func elementCount(_ scanner: inout ElementScanner) throws -> Int {
    while true {
      do throws(JSONSyntaxError) {
        let count = try scanner.count(in: window)
        if count < window.bytes.count || window.isAtEnd { return count }
      } catch {
        if window.isAtEnd { throw JSONSyntaxError(offset: window.offset + error.offset, reason: error.reason) }
      }
      try window.extend()
    }
  }

  private func error(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(offset: window.offset, reason: reason) }

  /// Calls with all of a body that is one event, or nil if it is longer than the limit. A syntax error that is thrown in the
  /// call has its offset counted from the beginning of the body afterwards.
  package mutating func document(_ body: (Span<UInt8>?) throws -> Void) throws {
    while !window.isAtEnd, window.offset + window.bytes.count <= eventLimit { try window.extend() }
    do {
      try body(window.offset + window.bytes.count > eventLimit ? nil : window.bytes.span)
    } catch let error as JSONSyntaxError {
      throw JSONSyntaxError(offset: window.offset + error.offset, reason: error.reason)
    }
  }

  /// Reads a body that is no event as the JSON value that it is.
  package mutating func value() throws -> JSONValue {
    while !window.isAtEnd { try window.extend() }
    do throws(JSONSyntaxError) {
      return try JSONValue(parsing: window.bytes)
    } catch {
      throw JSONSyntaxError(offset: window.offset + error.offset, reason: error.reason)
    }
  }
}
