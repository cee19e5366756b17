import JSON

/// Reads one event in a single pass: checks the whole of it and notes what stands at the fields of a tree.
///
/// Equal keys of one object are resolved as PostgreSQL's jsonb does: the last one wins, and what was noted below an earlier one
/// is void.
struct EventReader: ~Copyable {
  let tree: FieldTree
  var values: EventValues
  private var tokens: EventTokens
  private var key = FlatArray<UInt8>()
  /// How many objects have been read, in all events: a number for each object.
  private var objectCount = 0
  /// For each node, the object that last had its key, with what was noted for it.
  private var occurrences: FlatArray<Occurrence>
  /// The same for keys with dots, whose node is not theirs alone.
  private var dottedOccurrences: [DottedKey: Occurrence] = [:]

  struct Occurrence {
    var object: Int
    var firstValue: Int
    var endValue: Int
  }

  private struct DottedKey: Hashable {
    let object: Int
    let node: Int32
  }

  init(_ tree: consuming FieldTree) {
    values = EventValues(fieldCount: Int(tree.fieldCount))
    occurrences = FlatArray(
      repeating: Occurrence(object: 0, firstValue: 0, endValue: 0), count: tree.nodeCount)
    tokens = EventTokens(start: key.base, count: 0)
    self.tree = tree
  }

  /// Reads an event: a JSON object with nothing behind it. The memory must stay as it is for as long as ``values`` are used.
  mutating func read(_ event: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) {
    tokens = EventTokens(start: event.baseAddress ?? UnsafePointer(key.base), count: event.count)
    values.begin(tokens.start)
    if !dottedOccurrences.isEmpty { dottedOccurrences.removeAll(keepingCapacity: true) }
    tokens.skipSpace()
    guard tokens.current == UInt8(ascii: "{") else { throw tokens.error("expected an object") }
    try value(at: FieldTree.root, isElement: false, depth: 0)
    try finish()
  }

  /// Reads the value that a text begins with, whatever is behind it, and tells how many bytes it has.
  mutating func count(ofValueIn text: UnsafeBufferPointer<UInt8>) throws(JSONSyntaxError) -> Int {
    tokens = EventTokens(start: text.baseAddress ?? UnsafePointer(key.base), count: text.count)
    try value(at: FieldTree.nowhere, isElement: false, depth: 0)
    return tokens.offset
  }

  private mutating func finish() throws(JSONSyntaxError) {
    tokens.skipSpace()
    guard tokens.isAtEnd else { throw tokens.error("unexpected text behind the JSON value") }
  }

  /// Reads a value and notes it, and what is below it, where there are fields. The next byte is its first.
  private mutating func value(at node: Int32, isElement: Bool, depth: Int) throws(JSONSyntaxError) {
    let field = tree.field(at: node)
    switch tokens.current {
    case UInt8(ascii: "\""):
      let text = try tokens.string()
      if field >= 0 { values.note(.string, text, at: field, isElement) }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      try container(at: node, field, isElement, depth: depth)
    case UInt8(ascii: "t"):
      try literal("true", .true, field, isElement)
    case UInt8(ascii: "f"):
      try literal("false", .false, field, isElement)
    case UInt8(ascii: "n"):
      try literal("null", .null, field, isElement)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
      let text = try tokens.number()
      if field >= 0 { values.note(.number, text, at: field, isElement) }
    default:
      throw tokens.error(tokens.isAtEnd ? "expected a value, found the end" : "expected a value")
    }
  }

  private mutating func literal(
    _ word: StaticString, _ kind: EventValues.Kind, _ field: Int32, _ isElement: Bool
  ) throws(JSONSyntaxError) {
    let start = tokens.cursor
    try tokens.literal(word)
    if field >= 0 { values.note(kind, EventTokens.Text(start: start, count: 0), at: field, isElement) }
  }

  private mutating func container(
    at node: Int32, _ field: Int32, _ isElement: Bool, depth: Int
  ) throws(JSONSyntaxError) {
    guard depth < JSONValue.depthLimit else { throw tokens.error("nested more than \(JSONValue.depthLimit) deep") }
    let start = tokens.cursor
    let isObject = tokens.current == UInt8(ascii: "{")
    let index = values.count
    if field >= 0 {
      values.note(isObject ? .object : .array, EventTokens.Text(start: start, count: 0), at: field, isElement)
    }
    if isObject {
      try object(at: tree.hasChildren(node) ? node : FieldTree.nowhere, depth: depth + 1)
    } else {
      try array(at: node, depth: depth + 1)
    }
    if field >= 0 { values.setLength(of: index, tokens.cursor - start) }
  }

  private mutating func array(at node: Int32, depth: Int) throws(JSONSyntaxError) {
    _ = tokens.take("[")
    tokens.skipSpace()
    if tokens.take("]") { return }
    while true {
      tokens.skipSpace()
      try value(at: node, isElement: true, depth: depth)
      tokens.skipSpace()
      if tokens.take("]") { return }
      guard tokens.take(",") else { throw tokens.error("expected ',' or ']'") }
    }
  }

  private mutating func object(at node: Int32, depth: Int) throws(JSONSyntaxError) {
    _ = tokens.take("{")
    tokens.skipSpace()
    if tokens.take("}") { return }
    objectCount += 1
    let object = objectCount
    while true {
      tokens.skipSpace()
      guard tokens.current == UInt8(ascii: "\"") else { throw tokens.error("expected a key in double quotes") }
      let key = try tokens.string()
      tokens.skipSpace()
      guard tokens.take(":") else { throw tokens.error("expected ':' behind the key") }
      tokens.skipSpace()
      if node == FieldTree.nowhere {
        try value(at: FieldTree.nowhere, isElement: false, depth: depth)
      } else {
        try member(key, of: object, at: node, depth: depth)
      }
      tokens.skipSpace()
      if tokens.take("}") { return }
      guard tokens.take(",") else { throw tokens.error("expected ',' or '}'") }
    }
  }

  /// Reads the value of a key that a field may have.
  @inline(__always)
  private mutating func member(
    _ name: EventTokens.Text, of object: Int, at node: Int32, depth: Int
  ) throws(JSONSyntaxError) {
    let child: Int32
    let hasDots: Bool
    if name.isEscaped {
      key.removeAll()
      name.decode(into: &key)
      (child, hasDots) = tree.child(of: node, key.view(0, key.count))
    } else {
      (child, hasDots) = tree.child(of: node, name.bytes)
    }
    if child == FieldTree.nowhere { return try value(at: child, isElement: false, depth: depth) }
    if hasDots { return try dottedMember(of: object, at: child, depth: depth) }
    let earlier = occurrences[Int(child)]
    if earlier.object == object { values.remove(earlier.firstValue, earlier.endValue) }
    let first = values.count
    try value(at: child, isElement: false, depth: depth)
    occurrences[Int(child)] = Occurrence(object: object, firstValue: first, endValue: values.count)
  }

  @inline(never)
  private mutating func dottedMember(of object: Int, at child: Int32, depth: Int) throws(JSONSyntaxError) {
    let key = DottedKey(object: object, node: child)
    if let earlier = dottedOccurrences[key] { values.remove(earlier.firstValue, earlier.endValue) }
    let first = values.count
    try value(at: child, isElement: false, depth: depth)
    dottedOccurrences[key] = Occurrence(object: object, firstValue: first, endValue: values.count)
  }
}
