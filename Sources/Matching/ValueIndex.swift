import JSON

/// From the values that conditions name to the predicates that they satisfy: one look-up for a value of an event tells all that
/// it is equal to, however many conditions there are.
struct ValueIndex: ~Copyable {
  /// A predicate that a value satisfies.
  struct Posting {
    let predicate: Int32
    /// Whether the value satisfies it only as an element of an array.
    let wantsElement: Bool
    /// The next posting of the same value, or -1.
    var next: Int32 = -1
    /// Twice the number of the event in which the value was last found, and one more if it was found as an element; in the
    /// first posting of a value.
    var lastFound = 0
  }

  /// What a field has conditions on, which saves the look-ups that cannot find anything.
  struct Kinds {
    var exactString = false
    var foldedString = false
    /// Strings that count only as elements of arrays.
    var exactElement = false
    var foldedElement = false
    var number = false
    var container = false
  }

  /// An array or object that conditions name. There are few, so they are compared one by one.
  private struct Container {
    let value: JSONValue
    let isFolded: Bool
    let posting: Posting
  }

  /// The keys of one field are in a group of their own for each kind of value.
  private enum Group: Int32, CaseIterable {
    case exactString, foldedString, number, boolean
  }

  private var keys = KeyTable()
  /// The value of a key in `keys` is the number of its first posting.
  private var postings = FlatArray<Posting>()
  private var kinds = FlatArray<Kinds>()
  private var containers: [Int32: [Container]] = [:]
  private var scratch = FlatArray<UInt8>()

  /// Adds a value that satisfies a predicate. Null is passed over: it is equal to no value of a list.
  mutating func insert(_ value: JSONValue, isFolded: Bool, at field: Int32, _ posting: Posting) {
    while kinds.count <= Int(field) { kinds.append(Kinds()) }
    scratch.removeAll()
    switch value {
    case .null:
      break
    case .bool(let bool):
      scratch.append(bool ? 1 : 0)
      insert(in: .boolean, at: field, posting)
    case .number(let number):
      var text = number.text
      _ = text.withUTF8 { NumberKey.append($0, to: &scratch) }
      kinds[Int(field)].number = true
      insert(in: .number, at: field, posting)
    case .string(let string):
      var text = string
      text.withUTF8 { if isFolded { CaseFolding.fold($0, into: &scratch) } else { scratch.append($0) } }
      switch (isFolded, posting.wantsElement) {
      case (false, false): kinds[Int(field)].exactString = true
      case (false, true): kinds[Int(field)].exactElement = true
      case (true, false): kinds[Int(field)].foldedString = true
      case (true, true): kinds[Int(field)].foldedElement = true
      }
      insert(in: isFolded ? .foldedString : .exactString, at: field, posting)
    case .array, .object:
      kinds[Int(field)].container = true
      let folded = isFolded ? CaseFolding.folded(value) : value
      containers[field, default: []].append(Container(value: folded, isFolded: isFolded, posting: posting))
    }
  }

  private mutating func insert(in group: Group, at field: Int32, _ posting: Posting) {
    let new = Int32(postings.count)
    let first = keys.insert(scratch.view(0, scratch.count), in: Self.number(of: group, field), value: new)
    postings.append(posting)
    if first != new {
      postings[Int(new)].next = postings[Int(first)].next
      postings[Int(first)].next = new
    }
  }

  @inline(__always) private static func number(of group: Group, _ field: Int32) -> Int32 {
    field &* Int32(Group.allCases.count) &+ group.rawValue
  }

  /// Appends every predicate that the values at a field satisfy of the event with this number; some more than once, but not as
  /// often as there are values.
  mutating func find(
    at field: Int32, of values: inout EventValues, event: Int, into found: inout FlatArray<Finding>
  ) throws(JSONSyntaxError) {
    guard Int(field) < kinds.count else { return }
    let kinds = kinds[Int(field)]
    var index = values.first(of: field)
    while index >= 0 {
      let value = values[index]
      // As an element a value satisfies all that it does otherwise.
      let stamp = event << 1 | (value.isElement ? 1 : 0)
      switch value.kind {
      case .string:
        if kinds.exactString || value.isElement && kinds.exactElement {
          find(.exactString, field, values.text(of: index), stamp, &found)
        }
        if kinds.foldedString || value.isElement && kinds.foldedElement {
          find(.foldedString, field, values.foldedText(of: index), stamp, &found)
        }
      case .number:
        if kinds.number, let key = values.numberKey(of: index) { find(.number, field, key, stamp, &found) }
      case .true, .false:
        scratch.removeAll()
        scratch.append(value.kind == .true ? 1 : 0)
        find(.boolean, field, scratch.view(0, 1), stamp, &found)
      case .array, .object:
        // An array inside of one was looked at with it.
        if kinds.container, !value.isElement {
          findContainers(field, try JSONValue(parsing: values.text(of: index)), isElement: false, &found)
        }
      case .null, .removed:
        break
      }
      index = Int(value.next)
    }
  }

  @inline(__always)
  private mutating func find(
    _ group: Group, _ field: Int32, _ key: UnsafeBufferPointer<UInt8>, _ stamp: Int,
    _ found: inout FlatArray<Finding>
  ) {
    var index = Int(keys.value(of: key, in: Self.number(of: group, field)))
    guard index >= 0, postings[index].lastFound < stamp else { return }
    postings[index].lastFound = stamp
    while index >= 0 {
      let posting = postings[index]
      if stamp & 1 != 0 || !posting.wantsElement {
        found.append(Finding(predicate: posting.predicate, isCertain: true))
      }
      index = Int(posting.next)
    }
  }

  private func findContainers(
    _ field: Int32, _ value: JSONValue, isElement: Bool, _ found: inout FlatArray<Finding>
  ) {
    for container in containers[field] ?? [] where isElement || !container.posting.wantsElement {
      let isEqual = container.value == (container.isFolded ? CaseFolding.folded(value) : value)
      if isEqual { found.append(Finding(predicate: container.posting.predicate, isCertain: true)) }
    }
    guard case .array(let elements) = value else { return }
    for element in elements { findContainers(field, element, isElement: true, &found) }
  }
}

extension CaseFolding {
  /// The value with every string in it folded; the keys of objects stay as they are.
  static func folded(_ value: JSONValue) -> JSONValue {
    switch value {
    case .null, .bool, .number: value
    case .string(let string): .string(folded(string))
    case .array(let elements): .array(elements.map { folded($0) })
    case .object(let object): .object(JSONObject(object.members.map { ($0.key, folded($0.value)) }))
    }
  }
}
