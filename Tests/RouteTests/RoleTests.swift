import API
import Foundation
import Store
import TestSupport
import Testing

/// Who may do what, as the code has it, as the README tells it, and as it is answered.
@Suite("The role table") struct RoleTests {
  let service: Service

  init() throws { service = try Service() }

  /// The calls that a role may make, as the code has it: `GET /alerts`.
  private static func calls(of role: Role) -> Set<String> {
    Set(RoleTable.entries.filter { role.allows($0.permission) }.map { "\($0.method) \($0.path)" })
  }

  @Test("The README tells what the code has", arguments: Role.allCases)
  func readme(role: Role) throws {
    let readme = try String(contentsOfFile: TestDatabase.checkout + "/README.md", encoding: .utf8)
    let lines = readme.split(separator: "\n")
    let head = try #require(lines.firstIndex { $0.hasPrefix("| path |") })
    let columns = Self.cells(lines[head])
    let column = try #require(columns.firstIndex(of: "`\(role.rawValue)`"))
    let rows = lines[(head + 2)...].prefix { $0.hasPrefix("|") }.map(Self.cells)
    let told = rows.flatMap { row in
      row[column].split(separator: " ").map { "\($0) \(row[0].filter { $0 != "`" })" }
    }
    #expect(Set(told) == Self.calls(of: role))
    #expect(columns.count == 1 + Role.allCases.count)
  }

  private static func cells(_ row: Substring) -> [String] {
    row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
  }

  @Test("Each call is answered to those roles that the table has it for, and to nobody else")
  func answers() throws {
    #expect(Set(RoleTable.entries.map { "\($0.method) \($0.path)" }).count == RoleTable.entries.count)
    for entry in RoleTable.entries {
      let path = entry.path.replacing(#/\{\w+\}/#, with: "none")
      for role in Role.allCases {
        let answer = try service.call(entry.method, path, key: role.rawValue, body: "{}")
        let call = Comment(rawValue: "\(role.rawValue): \(entry.method) \(path): \(answer.status) \(answer.text)")
        #expect((answer.status != 403) == role.allows(entry.permission), call)
        #expect(![401, 405].contains(answer.status) && !answer.text.contains("nothing at this path"), call)
        #expect(answer.status < 500, call)
      }
      #expect(try service.call(entry.method, path, key: nil, body: "{}").status == 401)
    }
  }
}
