/// One thing that is wrong with a JSON document, and where (RFC 6901 pointer, empty for the document itself).
package struct JSONFault: Sendable, Equatable {
  /// Where, for example `/rules/2/operator`.
  package let pointer: String
  /// What is wrong and what would be right, for a person: `must be one of "AND", "OR"`.
  package let detail: String

  /// A fault at a place.
  package init(pointer: String, detail: String) {
    self.pointer = pointer
    self.detail = detail
  }
}

/// Everything that is wrong with a JSON document, or with a value in it, from which the pointers then start; never empty.
package struct JSONFaults: Error, Sendable, Equatable {
  /// The faults in the order they were found.
  package private(set) var faults: [JSONFault]

  /// The error for faults that were found.
  package init(_ faults: [JSONFault]) { self.faults = faults }

  /// The error for a single fault; without a pointer, of the value itself.
  package init(pointer: String = "", _ detail: String) { faults = [JSONFault(pointer: pointer, detail: detail)] }

  /// The same faults as faults of a document that has the value at a place.
  package func below(_ pointer: String) -> JSONFaults {
    JSONFaults(faults.map { JSONFault(pointer: pointer + $0.pointer, detail: $0.detail) })
  }
}

/// Reads the members of one JSON object into typed values and gathers every fault on the way, so that a client is told all of
/// them at once. Pointers start from the object: where it stands in its document is for its reader to add.
///
/// Each reading function answers nil where the member is absent, null or faulty; ``finish()`` throws if there was any fault or
/// any member that nobody asked for. Values read are only meaningful after `finish()` returned.
package struct ObjectReader {
  private let object: JSONObject
  /// What was asked for, some of it more than once; nil where other members are accepted.
  private var known: [String]?
  /// Which members were asked for, by their places.
  private var isKnown: PlaceSet
  /// The member that was asked for last: the next one is often near.
  private var lastPlace = 0
  private var faults: [JSONFault] = []

  /// Starts reading. Anything but an object is a fault of its own and thrown at once. Where other members are accepted, those
  /// that nobody asks for are no faults.
  package init(_ value: JSONValue, acceptsOthers: Bool = false) throws(JSONFaults) {
    guard case .object(let object) = value else { throw JSONFaults("must be an object, not \(value.kind)") }
    self.object = object
    isKnown = PlaceSet(count: object.members.count)
    if !acceptsOthers {
      known = []
      known?.reserveCapacity(32)
    }
  }

  /// Whether the object has the member, even as null.
  package func has(_ key: String) -> Bool { object.place(of: key) != nil }

  /// Records a fault of a member.
  package mutating func fault(_ key: String, _ detail: String) {
    faults.append(JSONFault(pointer: Self.pointer(to: key), detail: detail))
  }

  private static func pointer(to key: String) -> String { "/" + JSONPointer.escaped(key) }

  /// The member as it stands; nil if it is absent or null.
  package mutating func value(_ key: String) -> JSONValue? {
    known?.append(key)
    guard let place = object.place(of: key, guess: lastPlace) else { return nil }
    lastPlace = place
    isKnown.insert(place)
    if case .null = object.members[place].value { return nil }
    return object.members[place].value
  }

  /// Names members that are accepted but not read, such as those that the server itself sets.
  package mutating func ignore(_ keys: [String]) { known? += keys }

  /// Records a fault if the member is absent or null.
  package mutating func require(_ key: String) {
    if value(key) == nil { fault(key, "is required") }
  }

  /// A string whose length in characters (Unicode scalars) is in bounds; never one with a NUL, which PostgreSQL cannot store.
  package mutating func string(_ key: String, length: ClosedRange<Int> = 0...255) -> String? {
    guard let value = value(key) else { return nil }
    guard case .string(let string) = value else {
      fault(key, "must be a string, not \(value.kind)")
      return nil
    }
    if string.hasNUL {
      fault(key, "must not contain the character U+0000")
      return nil
    }
    guard string.hasScalars(length) else {
      fault(key, "must be \(length.lowerBound) to \(length.upperBound) characters long")
      return nil
    }
    return string
  }

  /// A string that must be there; an empty one stands in for a faulty one.
  package mutating func requiredString(_ key: String, length: ClosedRange<Int> = 1...255) -> String {
    require(key)
    return string(key, length: length) ?? ""
  }

  /// `true` or `false`.
  package mutating func bool(_ key: String) -> Bool? {
    guard let value = value(key) else { return nil }
    guard case .bool(let bool) = value else {
      fault(key, "must be true or false, not \(value.kind)")
      return nil
    }
    return bool
  }

  /// A whole number in bounds; `5.0` counts as `5`.
  package mutating func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
    guard let value = value(key) else { return nil }
    guard case .number(let number) = value, let integer = number.integer, range.contains(integer) else {
      fault(key, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
      return nil
    }
    return integer
  }

  /// One of the names of a closed set.
  package mutating func choice<Choice>(_ key: String, of _: Choice.Type = Choice.self) -> Choice?
  where Choice: RawRepresentable & CaseIterable, Choice.RawValue == String {
    guard let value = value(key) else { return nil }
    if case .string(let name) = value, let choice = Choice(rawValue: name) { return choice }
    fault(key, "must be one of " + Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", "))
    return nil
  }

  /// A member that is read by its own parser.
  package mutating func nested<Value>(_ key: String, _ parse: (JSONValue) throws(JSONFaults) -> Value) -> Value? {
    guard let value = value(key) else { return nil }
    do {
      return try parse(value)
    } catch {
      faults += error.below(Self.pointer(to: key)).faults
      return nil
    }
  }

  /// Something that another parser makes of this same object; the parser's faults join the others.
  package mutating func merge<Value>(_ parse: () throws(JSONFaults) -> Value) -> Value? {
    do {
      return try parse()
    } catch {
      faults += error.faults
      return nil
    }
  }

  /// An array whose elements are each read by a parser; nil if it is no array, out of bounds, or any element is faulty.
  package mutating func elements<Value>(
    _ key: String, count: ClosedRange<Int>, _ parse: (JSONValue) throws(JSONFaults) -> Value
  ) -> [Value]? {
    guard let value = value(key) else { return nil }
    guard case .array(let elements) = value else {
      fault(key, "must be an array, not \(value.kind)")
      return nil
    }
    guard count.contains(elements.count) else {
      fault(key, "must have \(count.lowerBound) to \(count.upperBound) elements, not \(elements.count)")
      return nil
    }
    var values: [Value] = []
    values.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      do {
        values.append(try parse(element))
      } catch {
        faults += error.below("\(Self.pointer(to: key))/\(index)").faults
      }
    }
    return values.count == elements.count ? values : nil
  }

  /// An array of strings, each with its length in bounds.
  package mutating func strings(
    _ key: String, count: ClosedRange<Int>, length: ClosedRange<Int> = 1...255
  ) -> [String]? {
    elements(key, count: count) { (value) throws(JSONFaults) in
      guard case .string(let string) = value, string.hasScalars(length), !string.hasNUL else {
        throw JSONFaults(
          "must be a string of \(length.lowerBound) to \(length.upperBound) characters, U+0000 not among them")
      }
      return string
    }
  }

  /// Throws every fault that was found, unknown members among them.
  package consuming func finish() throws(JSONFaults) {
    if let known { checkUnknown(known) }
    if !faults.isEmpty { throw JSONFaults(faults) }
  }
}

extension ObjectReader {
  /// Records a fault of each member that nobody asked for.
  private mutating func checkUnknown(_ known: [String]) {
    var names: String?
    for (place, member) in object.members.enumerated() where !isKnown.contains(place) {
      if known.lastIndex(where: member.key.hasSameBytes) != nil { continue }
      let list = names ?? Set(known).sorted().joined(separator: ", ")
      names = list
      fault(member.key, "is not a field here; known are \(list)")
    }
  }
}

/// Some of the places of an object's members.
private struct PlaceSet {
  /// The first 64 places as bits, and the others.
  private var bits: UInt64 = 0
  private var others: [Bool]

  init(count: Int) { others = count > 64 ? Array(repeating: false, count: count - 64) : [] }

  func contains(_ place: Int) -> Bool { place < 64 ? bits >> UInt64(place) & 1 != 0 : others[place - 64] }

  mutating func insert(_ place: Int) {
    if place < 64 { bits |= 1 << UInt64(place) } else { others[place - 64] = true }
  }
}

/// The spelling of places in a JSON document, RFC 6901.
package enum JSONPointer {
  /// A key as one reference token.
  package static func escaped(_ key: String) -> String {
    var token = ""
    for scalar in key.unicodeScalars {
      switch scalar {
      case "~": token += "~0"
      case "/": token += "~1"
      default: token.unicodeScalars.append(scalar)
      }
    }
    return token
  }
}
