import CQuotes

/// Where each string of a JSON text ends: found for 64 bytes at a time before anything is read, so that the reader goes from
/// string to string instead of from byte to byte, and need not reach the end of one to know where the next begins.
struct StringEnds: ~Copyable {
  private var ends = UnsafeMutableBufferPointer<UInt32>.allocate(capacity: 2048)

  deinit { ends.deallocate() }

  /// Finds the ends in a text shorter than 2 GiB. They hold until the next call; behind the last stands one for a string that
  /// does not end.
  mutating func find(in text: UnsafeBufferPointer<UInt8>) -> UnsafePointer<UInt32> {
    precondition(text.count <= Int(Int32.max))
    let capacity = text.count / 2 + Int(CQUOTES_SPARE)
    if ends.count < capacity {
      // Only what is written takes memory, a small part for all but the strangest text.
      ends.deallocate()
      ends = .allocate(capacity: max(capacity, ends.count * 2))
    }
    guard let first = ends.baseAddress else { preconditionFailure("the memory for ends is never empty") }
    cquotes_find(text.baseAddress, text.count, first)
    return UnsafePointer(first)
  }

  /// Where a string's closing quote stands; for a string that does not end, the length of the text.
  @inline(__always) static func offset(_ end: UInt32) -> Int { Int(end & ~CQUOTES_ODD) }

  /// Whether a string has a backslash, a control character or a byte that is not ASCII, or does not end.
  @inline(__always) static func isOdd(_ end: UInt32) -> Bool { end & CQUOTES_ODD != 0 }
}
