/// Networks in a prefix tree: one walk along the bits of an address tells all that it is in, however many there are.
struct NetworkIndex: ~Copyable {
  struct Node {
    /// The bits that lead here, from the most significant on; the others are 0.
    var bits: UInt128
    var length: Int32
    /// The nodes that follow where the next bit is 0 and 1, or -1.
    var zero: Int32 = -1
    var one: Int32 = -1
    /// The first posting for the network that ends here, or -1.
    var posting: Int32 = -1
  }

  struct Posting {
    let predicate: Int32
    /// The next posting of the same network, or -1.
    let next: Int32
    /// The event in which it was last found, and all that follow with it.
    var event = 0
  }

  private var nodes = FlatArray<Node>()
  private var postings = FlatArray<Posting>()
  /// For each field, the roots of the trees for IPv6 and for IPv4, or -1.
  private var roots: FlatArray<Int32>

  init(fieldCount: Int) { roots = FlatArray(repeating: -1, count: 2 * fieldCount) }

  mutating func insert(_ network: Network, at field: Int32, predicate: Int32) {
    let tree = Self.tree(field, isIPv4: network.isIPv4)
    if roots[tree] < 0 { roots[tree] = append(Node(bits: 0, length: 0)) }
    let node = node(network, from: Int(roots[tree]))
    postings.append(Posting(predicate: predicate, next: nodes[node].posting))
    nodes[node].posting = Int32(postings.count - 1)
  }

  private static func tree(_ field: Int32, isIPv4: Bool) -> Int { Int(field) * 2 + (isIPv4 ? 1 : 0) }

  private mutating func append(_ node: Node) -> Int32 {
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  private func follower(of node: Int, _ bits: UInt128) -> Int32 {
    Self.bit(bits, nodes[node].length) ? nodes[node].one : nodes[node].zero
  }

  private static func bit(_ bits: UInt128, _ index: Int32) -> Bool { bits >> UInt128(127 - index) & 1 != 0 }

  private mutating func setFollower(of node: Int, _ bits: UInt128, _ follower: Int32) {
    if Self.bit(bits, nodes[node].length) { nodes[node].one = follower } else { nodes[node].zero = follower }
  }

  /// The node of a network, made where there is none.
  private mutating func node(_ network: Network, from root: Int) -> Int {
    let (bits, length) = (network.bits, Int32(network.length))
    var node = root
    while nodes[node].length < length {
      let next = follower(of: node, bits)
      guard next >= 0 else {
        let leaf = append(Node(bits: bits, length: length))
        setFollower(of: node, bits, leaf)
        return Int(leaf)
      }
      let other = nodes[Int(next)]
      let common = min(Int32((bits ^ other.bits).leadingZeroBitCount), length, other.length)
      if common < other.length {
        let between = append(Node(bits: bits & Network.mask(Int(common)), length: common))
        setFollower(of: Int(between), other.bits, next)
        setFollower(of: node, bits, between)
        node = Int(between)
      } else {
        node = Int(next)
      }
    }
    return node
  }

  /// Appends the predicates whose networks have an address that the event has at a field.
  @inline(__always)
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    if roots[Self.tree(field, isIPv4: true)] >= 0 || roots[Self.tree(field, isIPv4: false)] >= 0 {
      findNetworks(at: field, of: &values, event: event, into: &found)
    }
  }

  @inline(never)
  private mutating func findNetworks(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) {
    var index = values.first(of: field)
    while index >= 0 {
      if values[index].kind == .string, let address = Address(values.text(of: index)) {
        walk(from: roots[Self.tree(field, isIPv4: address.isIPv4)], address.bits, event, &found)
      }
      index = Int(values[index].next)
    }
  }

  private mutating func walk(from root: Int32, _ bits: UInt128, _ event: Int, _ found: inout FlatArray<Finding>) {
    var place = root
    while place >= 0 {
      let node = nodes[Int(place)]
      guard (node.bits ^ bits) & Network.mask(Int(node.length)) == 0 else { return }
      var number = Int(node.posting)
      while number >= 0, postings[number].event != event {
        postings[number].event = event
        found.append(Finding(predicate: postings[number].predicate, isCertain: true))
        number = Int(postings[number].next)
      }
      if node.length == 128 { return }
      place = follower(of: Int(place), bits)
    }
  }
}
