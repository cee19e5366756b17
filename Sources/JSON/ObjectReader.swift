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

/// Everything that is wrong with a JSON document; never empty.
package struct JSONFaults: Error, Sendable, Equatable {
  /// The faults in the order they were found.
  package let faults: [JSONFault]

  /// The error for faults that were found.
  package init(_ faults: [JSONFault]) { self.faults = faults }

  /// The error for a single fault.
  package init(pointer: String, _ detail: String) { faults = [JSONFault(pointer: pointer, detail: detail)] }
}

/// Reads the members of one JSON object into typed values and gathers every fault on the way, so that a client is told all of
/// them at once.
///
/// Each reading function answers nil where the member is absent, null or faulty; ``finish()`` throws if there was any fault or
/// any member that nobody asked for. Values read are only meaningful after `finish()` returned.
package struct ObjectReader {
  /// Where the object stands in its document.
  package let pointer: String
  private let object: JSONObject
  private var known: Set<String> = []
  private var faults: [JSONFault] = []

  /// Starts reading. Anything but an object is a fault of its own and thrown at once.
  package init(_ value: JSONValue, at pointer: String = "") throws(JSONFaults) {
    guard case .object(let object) = value else {
      throw JSONFaults(pointer: pointer, "must be an object, not \(value.kind)")
    }
    self.object = object
    self.pointer = pointer
  }

  /// Whether the object has the member, even as null.
  package func has(_ key: String) -> Bool { object[key] != nil }

  /// The pointer of a member.
  package func pointer(to key: String) -> String { pointer + "/" + JSONPointer.escaped(key) }

  /// Records a fault of a member.
  package mutating func fault(_ key: String, _ detail: String) {
    faults.append(JSONFault(pointer: pointer(to: key), detail: detail))
  }

  /// The member as it stands; nil if it is absent or null.
  package mutating func value(_ key: String) -> JSONValue? {
    known.insert(key)
    guard let value = object[key], value != .null else { return nil }
    return value
  }

  /// Names members that are accepted but not read, such as those that the server itself sets.
  package mutating func ignore(_ keys: [String]) { known.formUnion(keys) }

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
    if string.unicodeScalars.contains("\0") {
      fault(key, "must not contain the character U+0000")
      return nil
    }
    guard length.contains(string.unicodeScalars.count) else {
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

  /// A member that is read by its own parser, given the value and its pointer.
  package mutating func nested<Value>(
    _ key: String, _ parse: (JSONValue, String) throws(JSONFaults) -> Value
  ) -> Value? {
    guard let value = value(key) else { return nil }
    let place = pointer(to: key)
    return gather { () throws(JSONFaults) in try parse(value, place) }
  }

  /// Something that another parser makes of this same object, given its pointer; the parser's faults join the others.
  package mutating func merge<Value>(_ parse: (String) throws(JSONFaults) -> Value) -> Value? {
    let place = pointer
    return gather { () throws(JSONFaults) in try parse(place) }
  }

  /// An array whose elements are each read by a parser; nil if it is no array, out of bounds, or any element is faulty.
  package mutating func elements<Value>(
    _ key: String, count: ClosedRange<Int>, _ parse: (JSONValue, String) throws(JSONFaults) -> Value
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
    let place = pointer(to: key)
    let values = elements.enumerated().map { index, element in
      gather { () throws(JSONFaults) in try parse(element, "\(place)/\(index)") }
    }
    return values.contains { $0 == nil } ? nil : values.compactMap { $0 }
  }

  /// An array of strings, each with its length in bounds.
  package mutating func strings(
    _ key: String, count: ClosedRange<Int>, length: ClosedRange<Int> = 1...255
  ) -> [String]? {
    elements(key, count: count) { (value, pointer) throws(JSONFaults) in
      guard case .string(let string) = value, length.contains(string.unicodeScalars.count),
        !string.unicodeScalars.contains("\0")
      else {
        let bounds = "\(length.lowerBound) to \(length.upperBound)"
        throw JSONFaults(pointer: pointer, "must be a string of \(bounds) characters, U+0000 not among them")
      }
      return string
    }
  }

  private mutating func gather<Value>(_ parse: () throws(JSONFaults) -> Value) -> Value? {
    do {
      return try parse()
    } catch {
      faults.append(contentsOf: error.faults)
      return nil
    }
  }

  /// Throws every fault that was found, unknown members among them.
  package consuming func finish() throws(JSONFaults) {
    let unknown = object.members.filter { !known.contains($0.key) }
    let names = known.sorted().joined(separator: ", ")
    faults += unknown.map { JSONFault(pointer: pointer(to: $0.key), detail: "is not a field here; known are \(names)") }
    if !faults.isEmpty { throw JSONFaults(faults) }
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
