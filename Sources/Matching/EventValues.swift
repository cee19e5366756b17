/// What one event has at the fields that conditions look at. The memory is kept from event to event.
struct EventValues: ~Copyable {
  enum Kind: UInt8 {
    case null, `true`, `false`, number, string, array, object
    /// Void, because the same key came again.
    case removed

    /// The kind of the number or literal that begins with a byte.
    @inline(__always) init(ofScalar first: UInt8) {
      switch first {
      case UInt8(ascii: "t"): self = .true
      case UInt8(ascii: "f"): self = .false
      case UInt8(ascii: "n"): self = .null
      default: self = .number
      }
    }
  }

  struct Value {
    var kind: Kind
    /// Whether it is an element of an array that is itself a value here.
    var isElement: Bool
    /// Whether its text stands in the decoded texts rather than in the event.
    var isDecoded: Bool
    let field: Int32
    /// The next value of the same field, or -1.
    let next: Int32
    /// Where its text begins, in bytes: that of a string without quotes, of a number, or of a whole array or object.
    var start: Int
    var count: Int
    /// Where its text stands among the folded texts, or -1 where it has not been needed yet.
    var foldedStart = -1
    var foldedCount = 0
  }

  /// The first value of a field, if it is of the event with this number.
  struct Head {
    var event: Int
    var first: Int32
  }

  private var values = FlatArray<Value>()
  private var decoded = FlatArray<UInt8>()
  private var folded = FlatArray<UInt8>()
  private var number = FlatArray<UInt8>()
  private var heads: FlatArray<Head>
  private var eventStart: UnsafePointer<UInt8>
  private var eventCount = 0
  /// The fields that the event has something at, each once; all of it may have been removed again.
  private(set) var fields = FlatArray<Int32>()

  init(fieldCount: Int) {
    heads = FlatArray(repeating: Head(event: 0, first: -1), count: fieldCount)
    eventStart = UnsafePointer(decoded.base)
  }

  var count: Int { values.count }

  subscript(index: Int) -> Value { values[index] }

  /// The first value of a field, or -1; the last in the event, but their order plays no part.
  @inline(__always) func first(of field: Int32) -> Int {
    let head = heads[Int(field)]
    return head.event == eventCount ? Int(head.first) : -1
  }

  /// The text of a value, until the next change.
  @inline(__always) func text(of index: Int) -> UnsafeBufferPointer<UInt8> {
    let value = values[index]
    if value.isDecoded { return decoded.view(value.start, value.count) }
    return UnsafeBufferPointer(start: eventStart + value.start, count: value.count)
  }

  /// The text of a value with case folded, until the next change.
  mutating func foldedText(of index: Int) -> UnsafeBufferPointer<UInt8> {
    if values[index].foldedStart < 0 {
      let start = folded.count
      CaseFolding.fold(text(of: index), into: &folded)
      values[index].foldedStart = start
      values[index].foldedCount = folded.count - start
    }
    return folded.view(values[index].foldedStart, values[index].foldedCount)
  }

  /// The ``NumberKey`` of a number, or of a string that spells one; nil for all else. It holds until the next call.
  mutating func numberKey(of index: Int) -> UnsafeBufferPointer<UInt8>? {
    number.removeAll()
    let text = text(of: index)
    let isNumber: Bool
    switch values[index].kind {
    case .number: isNumber = NumberKey.append(text, to: &number)
    case .string: isNumber = NumberKey.append(numericString: text, to: &number)
    case .null, .true, .false, .array, .object, .removed: isNumber = false
    }
    return isNumber ? number.view(0, number.count) : nil
  }

  /// Forgets the last event.
  mutating func begin(_ event: UnsafePointer<UInt8>) {
    eventStart = event
    eventCount += 1
    values.removeAll()
    decoded.removeAll()
    folded.removeAll()
    fields.removeAll()
  }

  @inline(__always)
  mutating func note(_ kind: Kind, _ text: EventTokens.Text, at field: Int32, _ isElement: Bool) {
    var next: Int32 = -1
    if heads[Int(field)].event == eventCount {
      next = heads[Int(field)].first
    } else {
      fields.append(field)
    }
    heads[Int(field)] = Head(event: eventCount, first: Int32(values.count))
    var value = Value(
      kind: kind, isElement: isElement, isDecoded: text.isEscaped, field: field, next: next,
      start: text.start - eventStart, count: text.count)
    if text.isEscaped {
      value.start = decoded.count
      text.decode(into: &decoded)
      value.count = decoded.count - value.start
    }
    values.append(value)
  }

  /// Sets how long the text of an array or object is, once that is known.
  mutating func setLength(of index: Int, _ count: Int) { values[index].count = count }

  /// Voids the values from one up to another.
  mutating func remove(_ first: Int, _ end: Int) {
    for index in first..<end { values[index].kind = .removed }
  }
}
