import API
import Foundation
import JSON
import Store
import Testing

@Suite("The description of the API") struct DescriptionTests {
  /// The operations that it describes, by their method and path: `GET /api/v1/alerts/policies`.
  let operations: [String: JSONObject]

  init() throws {
    let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let document = try JSONValue(parsing: Data(contentsOf: top.appending(path: "nginx/docs/openapi.json")))
    let paths = try #require(document.object?["paths"]?.object)
    let described = paths.members.flatMap { path in
      (path.value.object?.members ?? []).filter { $0.key != "parameters" }.map { method in
        ("\(method.key.uppercased()) \(path.key)", method.value.object ?? JSONObject())
      }
    }
    operations = Dictionary(uniqueKeysWithValues: described)
  }

  private static func call(_ entry: RoleTable.Entry) -> String { "\(entry.method) /api/v1/alerts\(entry.path)" }

  @Test("It has every call that there is, and no other")
  func calls() {
    #expect(Set(operations.keys) == Set(RoleTable.entries.map(Self.call) + ["GET /health"]))
  }

  @Test("It tells which roles may make a call", arguments: RoleTable.entries.map(Self.call))
  func roles(call: String) throws {
    let entry = try #require(RoleTable.entries.first { Self.call($0) == call })
    let roles = Role.allCases.filter { $0.allows(entry.permission) }.map(\.rawValue)
    let sentence = "\(roles.count > 1 ? "Roles" : "Role"): \(roles.joined(separator: ", "))."
    #expect(operations[call]?["description"]?.string?.hasPrefix(sentence) == true)
  }
}
