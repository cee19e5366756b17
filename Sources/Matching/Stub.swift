import JSON

// Declarations to compile against until FieldPath, Condition and Expression land; this file goes with them.

/// A dotted field path.
package struct FieldPath: Sendable {
  /// The path as it was written.
  package let text: String

  /// Reads a path.
  package init?(_ text: String) { self.text = text }

  /// Reads a path out of a document.
  package init(json: JSONValue, at pointer: String) throws(JSONFaults) { text = json.string ?? "" }

  /// The values that the path finds.
  package func values(in event: JSONValue) -> [JSONValue] { [] }
}

/// One condition.
package struct Condition: Sendable {
  /// Reads a condition.
  package init(json: JSONValue, at pointer: String) throws(JSONFaults) {}
}

/// Conditions combined.
package indirect enum Expression: Sendable {
  case condition(Condition)
  case all([Expression])
  case any([Expression])
  case not(Expression)
  case never

  /// Reads a simple or compound rule.
  package init(json: JSONValue, at pointer: String) throws(JSONFaults) { self = .never }
}
