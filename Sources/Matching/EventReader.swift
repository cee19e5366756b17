import JSON

/// Reads one event in a single pass: checks the whole of it and notes what stands at the fields of a tree.
///
/// Equal keys of one object are resolved as PostgreSQL's jsonb does: the last one wins, and what was noted below an earlier one
/// is void.
struct EventReader: ~Copyable {
  private typealias Cursor = EventTokens.Cursor

  let tree: FieldTree
  var values: EventValues
  private var tokens: EventTokens
  private var ends = StringEnds()
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
    var cursor = Cursor(place: tokens.start, nextEnd: ends.find(in: event))
    values.begin(tokens.start)
    if !dottedOccurrences.isEmpty { dottedOccurrences.removeAll(keepingCapacity: true) }
    cursor.place = tokens.skipSpace(cursor.place)
    guard tokens.byte(at: cursor.place) == UInt8(ascii: "{") else {
      throw tokens.error("expected an object", at: cursor.place)
    }
    try value(&cursor, at: FieldTree.root, isElement: false, depth: 0)
    try finish(cursor)
  }

  private func finish(_ cursor: Cursor) throws(JSONSyntaxError) {
    let place = tokens.skipSpace(cursor.place)
    guard place == tokens.end else { throw tokens.error("unexpected text behind the JSON value", at: place) }
  }

  /// Reads a value and notes it, and what is below it, where there are fields. The next byte is its first.
  @inline(__always)
  private mutating func value(
    _ cursor: inout Cursor, at node: Int32, isElement: Bool, depth: Int
  ) throws(JSONSyntaxError) {
    let first = cursor.place
    let byte = tokens.byte(at: first)
    switch byte {
    case UInt8(ascii: "\""):
      let text = try tokens.string(&cursor)
      let field = tree.field(at: node)
      if field >= 0 { values.note(.string, text, at: field, isElement) }
    case UInt8(ascii: "{"), UInt8(ascii: "["):
      if node == FieldTree.nowhere {
        cursor = try tokens.skipValue(cursor, depth: depth)
      } else {
        cursor = try container(cursor, at: node, isElement, depth: depth)
      }
    default:
      cursor.place = try tokens.skipScalar(first)
      let field = tree.field(at: node)
      if field >= 0 {
        let text = EventTokens.Text(start: first, count: cursor.place - first)
        values.note(EventValues.Kind(ofScalar: byte), text, at: field, isElement)
      }
    }
  }

  private mutating func container(
    _ cursor: Cursor, at node: Int32, _ isElement: Bool, depth: Int
  ) throws(JSONSyntaxError) -> Cursor {
    guard depth < JSONValue.depthLimit else { throw tokens.tooDeep(at: cursor.place) }
    let start = cursor.place
    let isObject = start.pointee == UInt8(ascii: "{")
    let field = tree.field(at: node)
    let index = values.count
    if field >= 0 {
      values.note(isObject ? .object : .array, EventTokens.Text(start: start, count: 0), at: field, isElement)
    }
    let end =
      if !isObject {
        try array(cursor, at: node, depth: depth + 1)
      } else if tree.hasChildren(node) {
        try object(cursor, at: node, depth: depth + 1)
      } else {
        try tokens.skipValue(cursor, depth: depth)
      }
    if field >= 0 { values.setLength(of: index, end.place - start) }
    return end
  }

  /// Reads an array whose elements are at a node. The next byte is its bracket.
  private mutating func array(_ cursor: Cursor, at node: Int32, depth: Int) throws(JSONSyntaxError) -> Cursor {
    var cursor = cursor
    cursor.place = tokens.skipSpace(cursor.place + 1)
    if tokens.byte(at: cursor.place) != UInt8(ascii: "]") {
      while true {
        try value(&cursor, at: node, isElement: true, depth: depth)
        cursor.place = tokens.skipSpace(cursor.place)
        guard tokens.byte(at: cursor.place) == UInt8(ascii: ",") else { break }
        cursor.place = tokens.skipSpace(cursor.place + 1)
      }
      guard tokens.byte(at: cursor.place) == UInt8(ascii: "]") else { throw tokens.noEnd(false, at: cursor.place) }
    }
    cursor.place += 1
    return cursor
  }

  /// Reads an object at a node. The next byte is its bracket.
  private mutating func object(_ cursor: Cursor, at node: Int32, depth: Int) throws(JSONSyntaxError) -> Cursor {
    var cursor = cursor
    cursor.place = tokens.skipSpace(cursor.place + 1)
    if tokens.byte(at: cursor.place) != UInt8(ascii: "}") {
      objectCount += 1
      let object = objectCount
      while true {
        let key = try tokens.key(&cursor)
        try member(key, &cursor, of: object, at: node, depth: depth)
        cursor.place = tokens.skipSpace(cursor.place)
        guard tokens.byte(at: cursor.place) == UInt8(ascii: ",") else { break }
        cursor.place = tokens.skipSpace(cursor.place + 1)
      }
      guard tokens.byte(at: cursor.place) == UInt8(ascii: "}") else { throw tokens.noEnd(true, at: cursor.place) }
    }
    cursor.place += 1
    return cursor
  }

  /// Reads the value of a key that a field may have.
  @inline(__always)
  private mutating func member(
    _ name: EventTokens.Text, _ cursor: inout Cursor, of object: Int, at node: Int32, depth: Int
  ) throws(JSONSyntaxError) {
    let (child, hasDots) = name.isEscaped ? escapedChild(of: node, name) : tree.child(of: node, name.bytes)
    if hasDots {
      cursor = try dottedMember(cursor, of: object, at: child, depth: depth)
      return
    }
    let first = values.count
    try value(&cursor, at: child, isElement: false, depth: depth)
    guard child != FieldTree.nowhere else { return }
    let earlier = occurrences[Int(child)]
    if earlier.object == object { values.remove(earlier.firstValue, earlier.endValue) }
    occurrences[Int(child)] = Occurrence(object: object, firstValue: first, endValue: values.count)
  }

  @inline(never)
  private mutating func escapedChild(of node: Int32, _ name: EventTokens.Text) -> (node: Int32, hasDots: Bool) {
    key.removeAll()
    name.decode(into: &key)
    return tree.child(of: node, key.view(0, key.count))
  }

  @inline(never)
  private mutating func dottedMember(
    _ cursor: Cursor, of object: Int, at child: Int32, depth: Int
  ) throws(JSONSyntaxError) -> Cursor {
    let key = DottedKey(object: object, node: child)
    if let earlier = dottedOccurrences[key] { values.remove(earlier.firstValue, earlier.endValue) }
    var cursor = cursor
    let first = values.count
    try value(&cursor, at: child, isElement: false, depth: depth)
    dottedOccurrences[key] = Occurrence(object: object, firstValue: first, endValue: values.count)
    return cursor
  }
}
