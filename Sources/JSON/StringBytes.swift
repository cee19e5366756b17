import Glibc

extension String {
  /// Whether both are the same code points, where `==` takes canonically equivalent ones for the same.
  package func hasSameBytes(as other: String) -> Bool {
    guard utf8.count == other.utf8.count else { return false }
    return withBytes { bytes in
      other.withBytes { otherBytes in
        guard let start = bytes.baseAddress, let otherStart = otherBytes.baseAddress else { return true }
        return memcmp(start, otherStart, bytes.count) == 0
      }
    }
  }

  /// Whether U+0000 is in it.
  package var hasNUL: Bool {
    withBytes { bytes in bytes.baseAddress.map { memchr($0, 0, bytes.count) != nil } ?? false }
  }

  /// Whether the number of its Unicode scalars, which a person counts as characters, is in bounds.
  package func hasScalars(_ bounds: ClosedRange<Int>) -> Bool {
    // A scalar takes one to four bytes.
    if utf8.count < bounds.lowerBound || utf8.count > 4 * bounds.upperBound { return false }
    if bounds.lowerBound <= 1, utf8.count <= bounds.upperBound { return true }
    return bounds.contains(unicodeScalars.count)
  }

  /// Calls with the UTF-8 of the string.
  @inline(__always) func withBytes<Value>(_ body: (UnsafeBufferPointer<UInt8>) -> Value) -> Value {
    utf8.withContiguousStorageIfAvailable(body) ?? Array(utf8).withUnsafeBufferPointer(body)
  }
}
