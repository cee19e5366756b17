/// Parameters laid out as libpq wants them: parallel arrays of types, pointers, lengths and formats.
struct EncodedParameters {
  private let parameters: [Parameter]

  init(_ parameters: [Parameter]) { self.parameters = parameters }

  /// Calls with the count, types, values, lengths and formats (all binary), good for the time of the call. The values stay where
  /// they are: those of a large batch are not copied once more.
  func withPointers(
    _ body: (Int32, [UInt32], [UnsafePointer<CChar>?], [Int32], [Int32]) -> Int32
  ) -> Int32 {
    var values: [UnsafePointer<CChar>?] = []
    values.reserveCapacity(parameters.count)
    return withUnsafePointer(to: 0) { (empty: UnsafePointer<CChar>) in
      withPointers(from: 0, &values, empty: empty) { values in
        body(
          Int32(values.count), parameters.map(\.type.rawValue), values, parameters.map { Int32($0.bytes?.count ?? 0) },
          Array(repeating: 1, count: values.count))
      }
    }
  }

  /// Goes one call deeper for each parameter, in which its bytes have an address. An empty value needs one too: a null pointer
  /// means NULL.
  private func withPointers(
    from index: Int, _ values: inout [UnsafePointer<CChar>?], empty: UnsafePointer<CChar>,
    _ body: ([UnsafePointer<CChar>?]) -> Int32
  ) -> Int32 {
    guard index < parameters.count else { return body(values) }
    guard let bytes = parameters[index].bytes else {
      values.append(nil)
      return withPointers(from: index + 1, &values, empty: empty, body)
    }
    return bytes.withUnsafeBytes { buffer in
      values.append(buffer.assumingMemoryBound(to: CChar.self).baseAddress ?? empty)
      return withPointers(from: index + 1, &values, empty: empty, body)
    }
  }
}
