import JSON

/// The events of one request body, each as the range of its bytes, so that they can be matched in place.
package struct EventBatch: Sendable {
  /// Where each event stands in the body, in order; white space around it may be included.
  package let events: [Range<Int>]

  /// The lines of an NDJSON body; blank ones are passed over. What is wrong with a line is found when it is matched, so a bad one
  /// costs only itself.
  package init(lines body: Span<UInt8>) {
    events = body.withUnsafeBufferPointer { bytes in
      var events: [Range<Int>] = []
      var start = 0
      while start < bytes.count {
        let end = bytes.from(start).firstOffset(of: 0x0A).map { start + $0 } ?? bytes.count
        let isBlank = bytes[start..<end].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
        if !isBlank { events.append(start..<end) }
        start = end + 1
      }
      return events
    }
  }

  /// The elements of a JSON array. The array is one document: a syntax error anywhere in it throws, with its byte offset. Elements
  /// may be anything; each may nest ``JSON/JSONValue/depthLimit`` deep.
  package init(array body: Span<UInt8>) throws(JSONSyntaxError) {
    events = try body.withUnsafeBufferPointer { (bytes) throws(JSONSyntaxError) in
      var reader = EventReader(FieldTree())
      return try reader.elements(of: bytes)
    }
  }
}
