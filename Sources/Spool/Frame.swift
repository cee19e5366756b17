import CZlib

/// How one record lies in a segment: a header of ``headerSize`` bytes, then the payload.
///
/// The header is the letters `TSP1`, then as 32-bit numbers, little-endian: the payload's length, the events in it, the payload's
/// CRC-32 and that of the header up to there.
struct Frame: Equatable {
  /// The bytes of a header.
  static let headerSize = 20
  /// The longest payload: the longest request body, with room for what is said about it.
  static let payloadLimit = 17 << 20

  private static let magic = Array("TSP1".utf8)

  /// The payload's length in bytes.
  let length: Int
  /// How many events the payload has.
  let events: Int
  private let checksum: UInt32

  /// The bytes that the frame takes in its segment.
  var size: Int { Self.headerSize + length }

  /// A whole record as it is written: the header and the payload.
  static func record(_ payload: [UInt8], events: Int) -> [UInt8] {
    var bytes = magic
    bytes.reserveCapacity(headerSize + payload.count)
    for number in [UInt32(payload.count), UInt32(clamping: events), checksum(of: payload[...])] {
      append(number, to: &bytes)
    }
    append(checksum(of: bytes[...]), to: &bytes)
    return bytes + payload
  }

  /// Reads a header; nil if the bytes are none.
  init?(header: ArraySlice<UInt8>) {
    guard header.count == Self.headerSize, header.starts(with: Self.magic) else { return nil }
    let numbers = (1...4).map { Self.number(in: header, at: $0 * 4) }
    guard numbers[3] == Self.checksum(of: header.dropLast(4)), numbers[0] <= Self.payloadLimit else { return nil }
    (length, events, checksum) = (Int(numbers[0]), Int(numbers[1]), numbers[2])
  }

  /// Whether the payload is what was written.
  func fits(_ payload: [UInt8]) -> Bool { payload.count == length && Self.checksum(of: payload[...]) == checksum }

  /// Whether bytes at a segment's end may be what was written of a header before its writer was killed.
  static func mayBeTornHeader(_ bytes: ArraySlice<UInt8>) -> Bool {
    bytes.count < headerSize && bytes.prefix(magic.count).elementsEqual(magic.prefix(bytes.count))
  }

  /// The places in bytes where a header may begin.
  static func candidates(in bytes: [UInt8]) -> [Int] {
    bytes.indices.filter { bytes[$0] == magic[0] && bytes[$0...].starts(with: magic) }
  }

  private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
    for shift in stride(from: 0, to: 32, by: 8) { bytes.append(UInt8(truncatingIfNeeded: number >> UInt32(shift))) }
  }

  private static func number(in header: ArraySlice<UInt8>, at place: Int) -> UInt32 {
    let first = header.startIndex + place
    return (0..<4).reduce(0) { $0 | UInt32(header[first + $1]) << UInt32($1 * 8) }
  }

  private static func checksum(of bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(truncatingIfNeeded: crc32_z(0, $0.baseAddress, $0.count)) }
  }
}
