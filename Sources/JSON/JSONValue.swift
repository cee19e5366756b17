/// A JSON value. Strings and keys are compared code point by code point: Unicode normalisation plays no part.
package enum JSONValue: Sendable, Equatable {
  case null
  case bool(Bool)
  case number(JSONNumber)
  case string(String)
  case array([JSONValue])
  case object(JSONObject)

  /// Numbers are equal by value (`1` and `1.0`), objects whatever the order of their members.
  package static func == (left: JSONValue, right: JSONValue) -> Bool {
    switch (left, right) {
    case (.null, .null): true
    case (.bool(let left), .bool(let right)): left == right
    case (.number(let left), .number(let right)): left == right
    case (.string(let left), .string(let right)): left.hasSameBytes(as: right)
    case (.array(let left), .array(let right)): left == right
    case (.object(let left), .object(let right)): left == right
    default: false
    }
  }

  /// What the value is, in the words of an error message: `a string`, `null`, …
  package var kind: String {
    switch self {
    case .null: "null"
    case .bool: "a boolean"
    case .number: "a number"
    case .string: "a string"
    case .array: "an array"
    case .object: "an object"
    }
  }

  /// The members if the value is an object.
  package var object: JSONObject? { if case .object(let object) = self { object } else { nil } }

  /// The value, or nil where it is null. A bare `nil` would be read as the JSON null here, and be something.
  package var unlessNull: JSONValue? { self == .null ? Optional.none : self }

  /// A string, or null for nil.
  package static func string(orNull string: String?) -> JSONValue { string.map(JSONValue.string) ?? .null }

  /// The text if the value is a string.
  package var string: String? { if case .string(let string) = self { string } else { nil } }
}

/// The members of a JSON object in the order they were written; a key occurs once.
package struct JSONObject: Sendable {
  /// One key with its value.
  package struct Member: Sendable {
    /// The key, unescaped.
    package let key: String
    /// The value.
    package var value: JSONValue
  }

  /// The members in order.
  package private(set) var members: [Member] = []
  /// Where the keys of a large object are; empty for one of few members, which are looked through.
  private var places: [KeyBytes: Int] = [:]

  /// The most members that are looked through.
  private static let scanLimit = 24

  /// An object without members.
  package init() {}

  /// An object of members in order; of equal keys the last wins.
  package init(_ members: some Sequence<(String, JSONValue)>) {
    for (key, value) in members { self[key] = value }
  }

  /// The value of a key. Setting a key that is there replaces its value in place, so the last of several wins, as in
  /// PostgreSQL's jsonb.
  package subscript(key: String) -> JSONValue? {
    get { place(of: key).map { members[$0].value } }
    set {
      switch (place(of: key), newValue) {
      case (let place?, let value?):
        members[place].value = value
      case (nil, let value?):
        append(key, value)
      case (let place?, nil):
        members.remove(at: place)
        places = [:]
        if members.count > Self.scanLimit { notePlaces(from: 0) }
      case (nil, nil):
        break
      }
    }
  }

  /// Adds a member whose key is known to be new.
  mutating func append(_ key: String, _ value: JSONValue) {
    if members.isEmpty { members.reserveCapacity(4) }
    members.append(Member(key: key, value: value))
    if members.count > Self.scanLimit { notePlaces(from: places.count) }
  }

  /// The place of a key among the members. Of few members the one at the guess is looked at first, then those behind it.
  func place(of key: String, guess: Int = 0) -> Int? {
    guard members.count <= Self.scanLimit else { return places[KeyBytes(key)] }
    for place in guess..<max(guess, members.count) where members[place].key.hasSameBytes(as: key) { return place }
    for place in 0..<min(guess, members.count) where members[place].key.hasSameBytes(as: key) { return place }
    return nil
  }

  private mutating func notePlaces(from first: Int) {
    for place in first..<members.count { places[KeyBytes(members[place].key)] = place }
  }

  /// This object with every member of another one set over it: what a partial PUT means.
  package func overlaid(with other: JSONObject) -> JSONObject {
    other.members.reduce(into: self) { $0[$1.key] = $1.value }
  }
}

extension JSONObject: Equatable {
  package static func == (left: JSONObject, right: JSONObject) -> Bool {
    left.members.count == right.members.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }
}

/// A key hashed and compared by its bytes, where `String` would treat canonically equivalent spellings as one.
private struct KeyBytes: Sendable, Hashable {
  let key: String

  init(_ key: String) { self.key = key }

  static func == (left: KeyBytes, right: KeyBytes) -> Bool { left.key.hasSameBytes(as: right.key) }

  func hash(into hasher: inout Hasher) {
    key.withBytes { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
  }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  package init(stringLiteral value: String) { self = .string(value) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .number(JSONNumber(value)) }
  package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
  package init(nilLiteral: ()) { self = .null }

  package init(dictionaryLiteral elements: (String, JSONValue)...) {
    self = .object(JSONObject(elements))
  }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}
