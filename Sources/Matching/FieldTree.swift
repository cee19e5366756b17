/// The fields that some condition looks at, as a tree of the keys that lead to them.
///
/// A place in an event and a node belong together when the keys on the way, with dots between them, are the same text: so a key
/// that has dots goes down several nodes at once, and elements of an array are at the node of their array.
struct FieldTree: ~Copyable {
  /// The node of every place that no condition looks at or below.
  static let nowhere: Int32 = 0
  /// The node of the event itself.
  static let root: Int32 = 1

  struct Node {
    /// Bit n is set where a child's key has n bytes, or, for 63, at least 63.
    var lengths: UInt64 = 0
    /// Bit n is set where a child's key begins with a byte whose last six bits are n (n is 0 for an empty key).
    var beginnings: UInt64 = 0
    /// The same for the children that have children.
    var beginningsOfParents: UInt64 = 0
    var field: Int32 = -1
  }

  private var nodes = FlatArray(repeating: Node(), count: 2)
  private var children = KeyTable()
  /// How many fields there are; they are numbered from 0.
  private(set) var fieldCount: Int32 = 0

  /// How many nodes there are, ``nowhere`` among them.
  var nodeCount: Int { nodes.count }

  /// Adds a field unless it is there, and tells its number.
  mutating func insert(_ path: FieldPath) -> Int32 {
    var node = Self.root
    let keys = path.text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    for (index, key) in keys.enumerated() {
      node = insert(Array(key), below: node, hasChildren: index < keys.count - 1)
    }
    if nodes[Int(node)].field < 0 {
      nodes[Int(node)].field = fieldCount
      fieldCount += 1
    }
    return nodes[Int(node)].field
  }

  private mutating func insert(_ key: [UInt8], below node: Int32, hasChildren: Bool) -> Int32 {
    let beginning: UInt64 = 1 << UInt64((key.first ?? 0) & 63)
    nodes[Int(node)].lengths |= 1 << UInt64(min(key.count, 63))
    nodes[Int(node)].beginnings |= beginning
    if hasChildren { nodes[Int(node)].beginningsOfParents |= beginning }
    let child = key.withUnsafeBufferPointer { children.insert($0, in: node, value: Int32(nodes.count)) }
    if Int(child) == nodes.count { nodes.append(Node()) }
    return child
  }

  /// The number of the field at a node, or -1.
  @inline(__always) func field(at node: Int32) -> Int32 { nodes[Int(node)].field }

  /// Whether there are fields below a node.
  @inline(__always) func hasChildren(_ node: Int32) -> Bool { nodes[Int(node)].lengths != 0 }

  /// The node that a key leads to from a node, ``nowhere`` if no field is there or below, and whether the key took more than one
  /// step.
  @inline(__always)
  func child(of node: Int32, _ key: UnsafeBufferPointer<UInt8>) -> (node: Int32, hasDots: Bool) {
    let first = key.first ?? 0
    let beginning = UInt64(first & 63)
    let known = nodes[Int(node)]
    if known.lengths >> UInt64(min(key.count, 63)) & known.beginnings >> beginning & 1 != 0 {
      let child = children.value(of: key, in: node)
      if child >= 0 { return (child, false) }
    }
    let beginningOfPart = first == UInt8(ascii: ".") ? 0 : beginning
    guard known.beginningsOfParents >> beginningOfPart & 1 != 0 else { return (Self.nowhere, false) }
    let child = descendant(of: node, key)
    return (child, child != Self.nowhere)
  }

  @inline(never) private func descendant(of node: Int32, _ key: UnsafeBufferPointer<UInt8>) -> Int32 {
    var node = node
    var rest = key
    while let dot = rest.firstOffset(of: UInt8(ascii: ".")) {
      node = children.value(of: UnsafeBufferPointer(rebasing: rest[..<dot]), in: node)
      if node < 0 { return Self.nowhere }
      rest = rest.from(dot + 1)
    }
    return rest.count == key.count ? Self.nowhere : max(children.value(of: rest, in: node), Self.nowhere)
  }
}
