/// How a condition compares what the event has with the value that the condition gives.
package enum Operator: String, CaseIterable, Sendable {
  /// Equal, of the same type; null is equal to null and to a field that is not there.
  case eq
  /// The field is there, and nothing in it is equal.
  case ne
  /// Greater: numbers and numeric strings as numbers, two strings by code point. Likewise the next three.
  case gt
  case lt
  case gte
  case lte
  /// Equal to one of an array of values.
  case `in`
  /// The field is there, and nothing in it is equal to any of the values.
  case notIn = "not_in"
  /// A part of a string, or an element of an array.
  case contains
  /// A part of a string that an RE2 pattern describes.
  case regex
  /// The beginning of a string.
  case startsWith = "starts_with"
  /// The end of a string.
  case endsWith = "ends_with"
  /// Whether the field is there and not null.
  case exists
  /// An IP address in one of some networks.
  case cidr
}
