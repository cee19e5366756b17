import JSON
import Testing

import struct Foundation.Data
import struct Foundation.URL

@testable import Matching

/// One line of the shared test data: a policy's conditions, an event, and what must come of it.
struct DataCase: Sendable, CustomTestStringConvertible {
  let id: String
  let policy: JSONObject
  let event: [UInt8]
  let expected: JSONValue

  var testDescription: String { id }

  /// The conditions as one compound rule, as a policy with `rules` and `match_all` means them.
  var rule: JSONValue {
    [
      "rule_type": "compound", "conditions": policy["rules"] ?? .null,
      "group_operator": policy["match_all"] == true ? "AND" : "OR",
    ]
  }

  /// The cases of a file of `shared/data`.
  static func all(of name: String) throws -> [DataCase] {
    try lines(of: name).map { line in
      let object = try #require(try JSONValue(parsing: line).object)
      return DataCase(
        id: object["id"]?.string ?? "", policy: object["policy"]?.object ?? object,
        event: try #require(object["event"]).json, expected: try #require(object["expected"]))
    }
  }

  /// The lines of a file of `shared/data`, which lies beside the package.
  static func lines(of name: String) throws -> [[UInt8]] {
    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = package.deletingLastPathComponent().appendingPathComponent("shared/data/\(name)")
    return try Data(contentsOf: file).split(separator: 0x0A).map { Array($0) }
  }
}

extension Matcher {
  /// Whether a single expression holds for an event.
  static func holds(_ expression: Expression, for event: some Collection<UInt8>) throws -> Bool {
    try Matcher([expression]).match(Array(event).span) == [0]
  }
}

/// Reads a rule written as JSON.
func expression(_ text: String) throws -> Expression { try Expression(json: JSONValue(parsing: text.utf8)) }
