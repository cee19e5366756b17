import JSON

/// The place of a field in an event: keys with dots between them.
///
/// A dot may part two keys or belong to one, so `a.b` finds `{"a": {"b": 1}}` and `{"a.b": 1}` alike, and a path through an
/// array means any of its elements. Keys may be empty, and are compared byte by byte.
package struct FieldPath: Sendable {
  /// The path as it was written.
  package let text: String

  /// The longest path, in characters (Unicode scalars).
  static let lengthLimit = 512

  /// Reads a path of 1 to 512 characters (Unicode scalars), U+0000 not among them; nil for anything else.
  package init?(_ text: String) {
    guard text.hasScalars(1...Self.lengthLimit), !text.hasNUL else { return nil }
    self.text = text
  }

  /// Reads a path out of a document.
  package init(json: JSONValue) throws(JSONFaults) {
    guard let text = json.string, let path = FieldPath(text) else {
      throw JSONFaults(
        "must be a field path such as \"user.name\": 1 to 512 characters, U+0000 not among them")
    }
    self = path
  }

  /// The values that the event has at the path, nulls and whole arrays among them, in the event's order.
  package func values(in event: JSONValue) -> [JSONValue] {
    var found: [JSONValue] = []
    Self.collect(text.utf8[...], of: event, into: &found)
    return found
  }

  private static func collect(_ path: Substring.UTF8View, of value: JSONValue, into found: inout [JSONValue]) {
    switch value {
    case .array(let elements):
      for element in elements { collect(path, of: element, into: &found) }
    case .object(let object):
      for member in object.members where path.starts(with: member.key.utf8) {
        let rest = path.dropFirst(member.key.utf8.count)
        if rest.isEmpty {
          found.append(member.value)
        } else if rest.first == UInt8(ascii: ".") {
          collect(rest.dropFirst(), of: member.value, into: &found)
        }
      }
    case .null, .bool, .number, .string:
      break
    }
  }
}
