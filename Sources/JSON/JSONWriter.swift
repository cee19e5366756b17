/// Something that can be written as one JSON value.
package protocol JSONWritable {
  /// Appends the value to the writer.
  func write(to writer: inout JSONWriter)
}

/// Builds a JSON text in UTF-8, front to back, without a tree in between.
package struct JSONWriter: Sendable {
  /// What has been written so far.
  package private(set) var bytes: [UInt8] = []

  /// A writer with nothing written.
  package init() {}

  /// Writes an object; the closure adds its members in order.
  package mutating func object(_ build: (inout Members) -> Void) {
    bytes.append(UInt8(ascii: "{"))
    var members = Members()
    swap(&bytes, &members.writer.bytes)  // moved, where an assignment would copy all that is written at the next byte
    build(&members)
    swap(&bytes, &members.writer.bytes)
    bytes.append(UInt8(ascii: "}"))
  }

  /// Writes an array of values.
  package mutating func array(_ elements: some Sequence<some JSONWritable>) {
    array(elements) { element, writer in element.write(to: &writer) }
  }

  /// Writes an array; the closure writes each element as one value.
  package mutating func array<Element>(
    _ elements: some Sequence<Element>, _ write: (Element, inout JSONWriter) -> Void
  ) {
    bytes.append(UInt8(ascii: "["))
    var isFirst = true
    for element in elements {
      if !isFirst { bytes.append(UInt8(ascii: ",")) }
      isFirst = false
      write(element, &self)
    }
    bytes.append(UInt8(ascii: "]"))
  }

  /// Writes text that is JSON already, untouched.
  package mutating func verbatim(_ json: some Sequence<UInt8>) { bytes.append(contentsOf: json) }

  /// Writes a string in quotes, escaping what RFC 8259 section 7 says must be, in the way of RFC 8785 section 3.2.2.2.
  package mutating func string(_ string: String) {
    bytes.append(UInt8(ascii: "\""))
    var string = string
    string.withUTF8 { text in
      var plain = 0
      for (index, byte) in text.enumerated() {
        guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
        bytes.append(contentsOf: text[plain..<index])
        escape(byte)
        plain = index + 1
      }
      bytes.append(contentsOf: text[plain...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case 0x08: bytes.append(contentsOf: "\\b".utf8)
    case 0x0C: bytes.append(contentsOf: "\\f".utf8)
    case 0x0A: bytes.append(contentsOf: "\\n".utf8)
    case 0x0D: bytes.append(contentsOf: "\\r".utf8)
    case 0x09: bytes.append(contentsOf: "\\t".utf8)
    case 0..<0x20: bytes.append(contentsOf: ((byte < 0x10 ? "\\u000" : "\\u00") + String(byte, radix: 16)).utf8)
    default: bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
    }
  }

  /// The members of an object that is being written.
  package struct Members {
    fileprivate var writer = JSONWriter()
    private var isEmpty = true

    fileprivate init() {}

    /// Adds one member.
    package mutating func add(_ key: String, _ value: some JSONWritable) {
      add(key) { writer in value.write(to: &writer) }
    }

    /// Adds one member whose value the closure writes.
    package mutating func add(_ key: String, _ write: (inout JSONWriter) -> Void) {
      if !isEmpty { writer.bytes.append(UInt8(ascii: ",")) }
      isEmpty = false
      writer.string(key)
      writer.bytes.append(UInt8(ascii: ":"))
      write(&writer)
    }
  }
}

/// Bytes that are JSON already and are passed on as they are, such as an event.
package struct JSONText: Sendable, Equatable, JSONWritable {
  /// One JSON value in UTF-8.
  package let bytes: [UInt8]

  /// Wraps bytes that are known to be one JSON value.
  package init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }

  package func write(to writer: inout JSONWriter) { writer.verbatim(bytes) }
}

extension JSONWritable {
  /// The value as a JSON text in UTF-8.
  package var json: [UInt8] {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.bytes
  }
}

extension JSONValue: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    switch self {
    case .null: writer.verbatim("null".utf8)
    case .bool(let bool): bool.write(to: &writer)
    case .number(let number): writer.verbatim(number.text.utf8)
    case .string(let string): writer.string(string)
    case .array(let elements): writer.array(elements)
    case .object(let object): object.write(to: &writer)
    }
  }
}

extension JSONObject: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      for member in self.members { members.add(member.key, member.value) }
    }
  }
}

extension String: JSONWritable {
  package func write(to writer: inout JSONWriter) { writer.string(self) }
}

extension Int: JSONWritable {
  package func write(to writer: inout JSONWriter) { writer.verbatim(String(self).utf8) }
}

extension Bool: JSONWritable {
  package func write(to writer: inout JSONWriter) { writer.verbatim((self ? "true" : "false").utf8) }
}

extension Optional: JSONWritable where Wrapped: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    switch self {
    case .some(let value): value.write(to: &writer)
    case .none: writer.verbatim("null".utf8)
    }
  }
}

extension Array: JSONWritable where Element: JSONWritable {
  package func write(to writer: inout JSONWriter) { writer.array(self) }
}
