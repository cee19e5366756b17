import JSON

/// One statement about a field of an event, for example that `user.role` is one of two names.
package struct Condition: Sendable, JSONWritable {
  /// Where the event has what is compared.
  package let field: FieldPath
  /// How it is compared.
  package let `operator`: Operator
  /// What it is compared with, as it was given.
  package let value: JSONValue
  /// Whether upper and lower case differ, in every operator that compares strings.
  package let isCaseSensitive: Bool
  /// The operator and its value, read and checked.
  let comparison: Comparison

  /// Reads `{field, operator, value, case_sensitive}`. A missing value is null, case matters where nothing is said, and other
  /// members are passed over. Throws every fault: an unknown operator, a value of a type the operator has no use for, a
  /// pattern or network that is none.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json, acceptsOthers: true)
    reader.require("field")
    let field = reader.nested("field", FieldPath.init(json:))
    reader.require("operator")
    let name = reader.choice("operator", of: Operator.self)
    let value = reader.value("value") ?? .null
    let isCaseSensitive = reader.bool("case_sensitive") ?? true
    let comparison = name.flatMap { name in
      reader.merge { () throws(JSONFaults) in
        do throws(JSONFaults) {
          return try Comparison(name, value, isCaseSensitive: isCaseSensitive)
        } catch {
          throw error.below("/value")
        }
      }
    }
    try reader.finish()
    guard let field, let name, let comparison else { throw JSONFaults("must be a condition") }
    self.field = field
    self.operator = name
    self.value = value
    self.isCaseSensitive = isCaseSensitive
    self.comparison = comparison
  }

  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      members.add("field", field.text)
      members.add("operator", self.operator.rawValue)
      members.add("value", value)
      members.add("case_sensitive", isCaseSensitive)
    }
  }
}
