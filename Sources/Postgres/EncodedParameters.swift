/// Parameters laid out as libpq wants them: parallel arrays of types, pointers, lengths and formats.
struct EncodedParameters {
  private let types: [UInt32]
  private let bytes: [UInt8]
  private let starts: [Int?]
  private let lengths: [Int32]

  init(_ parameters: [Parameter]) {
    var bytes: [UInt8] = []
    var starts: [Int?] = []
    bytes.reserveCapacity(parameters.reduce(1) { $0 + ($1.bytes?.count ?? 0) })
    for parameter in parameters {
      starts.append(parameter.bytes == nil ? nil : bytes.count)
      bytes += parameter.bytes ?? []
    }
    bytes.append(0)  // so that an empty last value has an address too: a null pointer would mean NULL
    self.bytes = bytes
    self.starts = starts
    types = parameters.map(\.type.rawValue)
    lengths = parameters.map { Int32($0.bytes?.count ?? 0) }
  }

  /// Calls with the count, types, values, lengths and formats (all binary), good for the time of the call.
  func withPointers(
    _ body: (Int32, [UInt32], [UnsafePointer<CChar>?], [Int32], [Int32]) -> Int32
  ) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      let base = buffer.assumingMemoryBound(to: CChar.self).baseAddress
      let values = starts.map { start in start.flatMap { start in base.map { $0 + start } } }
      return body(Int32(types.count), types, values, lengths, Array(repeating: 1, count: types.count))
    }
  }
}
