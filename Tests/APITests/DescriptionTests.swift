import API
import Foundation
import JSON
import Store
import Testing

@Suite("The description of the API") struct DescriptionTests {
  /// The operations that it describes, by their method and path: `GET /api/v1/alerts/policies`.
  let operations: [String: JSONObject]
  private let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  init() throws {
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

  @Test("It tells of each call what nginx may answer in the place of the worker")
  func answersOfNginx() throws {
    let server = try String(contentsOf: top.appending(path: "nginx/tocsin.conf.template"), encoding: .utf8)
    let statuses = server.matches(of: #/location = \/problem\/(\d+) /#).map { String($0.1) }
    #expect(statuses.count > 5)
    for (call, operation) in operations {
      let described = Set(operation["responses"]?.object?.members.map(\.key) ?? [])
      // There is the path of each call.
      #expect(Set(statuses).subtracting(described).subtracting(["404"]) == [], "\(call)")
    }
  }

  @Test("It tells which roles may make a call", arguments: RoleTable.entries.map(Self.call))
  func roles(call: String) throws {
    let entry = try #require(RoleTable.entries.first { Self.call($0) == call })
    let roles = Role.allCases.filter { $0.allows(entry.permission) }.map(\.rawValue)
    let sentence = "\(roles.count > 1 ? "Roles" : "Role"): \(roles.joined(separator: ", "))."
    #expect(operations[call]?["description"]?.string?.hasPrefix(sentence) == true)
  }
}
