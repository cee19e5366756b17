/// PostgreSQL's binary format of a one-dimensional array (`array_send` in its source): dimensions, a flag whether there are
/// NULLs, the element type, the length and lower bound; then each element as its length (-1 for NULL) and its bytes.
enum BinaryArray {
  static func encoded(_ elements: [(some Collection<UInt8>)?], of type: ObjectID) -> [UInt8] {
    let hasNulls = elements.contains { $0 == nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(elements.reduce(20) { $0 + 4 + ($1?.count ?? 0) })
    bytes.append(bigEndian: Int32(elements.isEmpty ? 0 : 1))
    bytes.append(bigEndian: Int32(hasNulls ? 1 : 0))
    bytes.append(bigEndian: type.rawValue)
    if elements.isEmpty { return bytes }
    bytes.append(bigEndian: Int32(elements.count))
    bytes.append(bigEndian: Int32(1))
    for element in elements {
      bytes.append(bigEndian: Int32(element?.count ?? -1))
      if let element { bytes += element }
    }
    return bytes
  }

  /// The elements; those that are NULL are nil.
  static func decoded(_ bytes: UnsafeRawBufferPointer) -> [[UInt8]?] {
    var position = 0
    func integer() -> Int {
      defer { position += 4 }
      return Int(Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: Int32.self)))
    }
    let dimensions = integer()
    if dimensions == 0 { return [] }
    precondition(dimensions == 1, "a column holds an array of \(dimensions) dimensions")
    position = 12
    let count = integer()
    position = 20
    return (0..<count).map { _ in
      let length = integer()
      if length < 0 { return nil }
      defer { position += length }
      return Array(bytes[position..<position + length])
    }
  }
}
