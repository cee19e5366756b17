import Glibc

extension UnsafeBufferPointer<UInt8> {
  /// Whether both are the same bytes.
  @inline(__always) func isEqual(to other: UnsafeBufferPointer<UInt8>) -> Bool {
    guard count == other.count, let start = baseAddress, let otherStart = other.baseAddress else {
      return count == other.count
    }
    return memcmp(start, otherStart, count) == 0
  }

  /// Below zero where these bytes come first, above where the others do; a beginning comes before the whole. In UTF-8 this is
  /// the order of code points.
  func order(to other: UnsafeBufferPointer<UInt8>) -> Int {
    guard let start = baseAddress, let otherStart = other.baseAddress else { return count - other.count }
    let order = memcmp(start, otherStart, Swift.min(count, other.count))
    return order == 0 ? count - other.count : Int(order)
  }

  /// Where the byte first stands, or nil.
  @inline(__always) func firstOffset(of byte: UInt8) -> Int? {
    guard let start = baseAddress, let place = memchr(start, Int32(byte), count) else { return nil }
    return UnsafeRawPointer(place) - UnsafeRawPointer(start)
  }

  /// The bytes from an offset through the end.
  @inline(__always) func from(_ offset: Int) -> Self { Self(rebasing: self[offset...]) }
}
