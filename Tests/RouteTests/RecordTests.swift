import JSON
import TestSupport
import Testing

/// A noun whose records are created, shown, listed, changed and deleted, and how: what all of them have in common.
struct Noun: Sendable, CustomTestStringConvertible {
  let plural: String
  let id: String
  /// A document that is valid and says as little as it can.
  let least: String
  /// A change, and the member in which it is seen.
  let change: String
  let changed: String
  /// The role that may change it, and one that may not.
  let allowed: String
  let refused: String

  var testDescription: String { plural }

  /// A document with an id.
  func document(id: String) -> String { "{\"\(self.id)\":\"\(id)\"," + least.dropFirst() }

  static let all = [
    Noun(
      plural: "policies", id: "policy_id",
      least: """
        {"name":"p","rules":[{"field":"a","operator":"eq","value":1}],"message_template":"m","summary_template":"s",
        "providers":[]}
        """,
      change: #"{"severity":"critical"}"#, changed: "severity", allowed: "admin", refused: "operator"),
    Noun(
      plural: "rules", id: "rule_id", least: #"{"name":"r","field":"a","operator":"eq","value":1}"#,
      change: #"{"field":"b.c"}"#, changed: "field", allowed: "admin", refused: "operator"),
    Noun(
      plural: "providers", id: "provider_id",
      least: #"{"name":"w","provider_type":"webhook","config":{"url":"https://example.com/hook"}}"#,
      change: #"{"enabled":false}"#, changed: "enabled", allowed: "admin", refused: "operator"),
    Noun(
      plural: "suppressions", id: "suppression_id",
      least: #"{"policy_id":"p","suppressed_until":"2999-01-01T00:00:00Z"}"#,
      change: #"{"reason":"maintenance"}"#, changed: "reason", allowed: "operator", refused: "viewer"),
  ]
}

@Suite("Policies, rules, providers and suppressions") struct RecordTests {
  let service: Service

  init() throws { service = try Service() }

  @Test("A record is created under an id of the service's making, and found at its Location", arguments: Noun.all)
  func create(noun: Noun) throws {
    let created = try service.call("POST", "/\(noun.plural)", key: noun.allowed, body: noun.least)
    #expect(created.status == 201)
    #expect(created.headers["content-type"] == "application/json")
    let id = try #require(try created[noun.id]?.string)
    #expect(id.hasPrefix(noun.id.dropLast(2) == "policy_" ? "policy-" : noun.id.dropLast(3) + "-"))
    let location = try #require(created.headers["location"])
    #expect(location == "/api/v1/alerts/\(noun.plural)/\(id)")
    let shown = try service.call("GET", "/\(noun.plural)/\(id)", key: "viewer")
    #expect(shown.status == 200)
    #expect(try shown.json == created.json)
    #expect(try shown["tenant_id"] == "default")
    #expect(try shown["created_at"] == shown["updated_at"])
    #expect(try shown["created_by"]?.string?.hasPrefix("key-") == true)
  }

  @Test("A given id is kept, and a second record of that id is 409 and changes nothing", arguments: Noun.all)
  func givenID(noun: Noun) throws {
    let id = "My.own_id-1"
    let created = try service.call("POST", "/\(noun.plural)", body: noun.document(id: id))
    #expect(created.status == 201)
    #expect(try created[noun.id] == .string(id))
    let again = try service.call("POST", "/\(noun.plural)", body: noun.document(id: id))
    #expect(again.status == 409)
    #expect(try again.detail.contains(id))
    #expect(try service.call("GET", "/\(noun.plural)/\(id)").json == created.json)
    let elsewhere = try service.call("POST", "/\(noun.plural)", key: "elsewhere", body: noun.document(id: id))
    #expect(elsewhere.status == 201)
  }

  @Test("A PUT changes what it names and nothing else", arguments: Noun.all)
  func change(noun: Noun) throws {
    let created = try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x"))
    let changed = try service.call("PUT", "/\(noun.plural)/x", key: noun.allowed, body: noun.change)
    #expect(changed.status == 200)
    let change = try #require(try JSONValue(parsing: noun.change.utf8).object)
    var expected = try #require(try created.json.object).overlaid(with: change)
    #expect(try changed["updated_at"]?.string ?? "" > created["updated_at"]?.string ?? "")
    expected["updated_at"] = try changed["updated_at"]
    #expect(try changed.json == .object(expected))
    #expect(try service.call("GET", "/\(noun.plural)/x").json == changed.json)
  }

  @Test("What was shown can be sent back whole", arguments: Noun.all)
  func roundTrip(noun: Noun) throws {
    let created = try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x"))
    let changed = try service.call("PUT", "/\(noun.plural)/x", body: created.body)
    #expect(changed.status == 200)
    var expected = try #require(try created.json.object)
    expected["updated_at"] = try changed["updated_at"]
    #expect(try changed.json == .object(expected))
  }

  @Test("A PUT cannot change an id, and one that says something impossible changes nothing", arguments: Noun.all)
  func badChange(noun: Noun) throws {
    let created = try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x"))
    let renamed = try service.call("PUT", "/\(noun.plural)/x", body: "{\"\(noun.id)\":\"y\"}")
    #expect(renamed.status == 422)
    #expect(try renamed.pointers == ["/\(noun.id)"])
    #expect(try service.call("PUT", "/\(noun.plural)/x", body: "{\"\(noun.changed)\":[]}").status == 422)
    #expect(try service.call("PUT", "/\(noun.plural)/x", body: "[]").status == 422)
    #expect(try service.call("GET", "/\(noun.plural)/x").json == created.json)
    #expect(try service.call("PUT", "/\(noun.plural)/none", body: "{}").status == 404)
  }

  @Test("A deleted record is gone, and deleting it again is 404", arguments: Noun.all)
  func delete(noun: Noun) throws {
    #expect(try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x")).status == 201)
    #expect(try service.call("DELETE", "/\(noun.plural)/x", key: noun.refused).status == 403)
    let deleted = try service.call("DELETE", "/\(noun.plural)/x", key: noun.allowed)
    #expect(deleted.status == 204)
    #expect(deleted.body.isEmpty)
    for method in ["GET", "DELETE"] {
      let absent = try service.call(method, "/\(noun.plural)/x")
      #expect(absent.status == 404)
      #expect(try absent.detail.contains("\"x\""))
    }
  }

  @Test("A list comes in pages, in a stable order, with its total", arguments: Noun.all)
  func list(noun: Noun) throws {
    let empty = try service.call("GET", "/\(noun.plural)", key: "viewer")
    #expect(
      try empty.json == [
        noun.plural == "policies" ? "policies" : noun.plural: [], "total": 0, "page": 1, "per_page": 10,
      ])
    for index in 0..<12 {
      #expect(try service.call("POST", "/\(noun.plural)", body: noun.document(id: "id\(index + 10)")).status == 201)
    }
    #expect(try service.call("POST", "/\(noun.plural)", key: "elsewhere", body: noun.least).status == 201)
    #expect(try ids(of: noun, "") == (10..<20).map { "id\($0)" })
    #expect(try ids(of: noun, "?page=2") == ["id20", "id21"])
    #expect(try ids(of: noun, "?page=3&per_page=5") == ["id20", "id21"])
    #expect(try ids(of: noun, "?page=4&per_page=5") == [])
    #expect(try service.call("GET", "/\(noun.plural)?page=4&per_page=5")["total"] == 12)
  }

  private func ids(of noun: Noun, _ query: String) throws -> [String] {
    guard case .array(let records) = try service.call("GET", "/\(noun.plural)\(query)")[noun.plural] else { return [] }
    return records.compactMap { $0.object?[noun.id]?.string }
  }

  @Test("Another tenant's records are not there, whatever is done to them", arguments: Noun.all)
  func tenants(noun: Noun) throws {
    let created = try service.call("POST", "/\(noun.plural)", body: noun.document(id: "x"))
    #expect(try service.call("GET", "/\(noun.plural)/x", key: "elsewhere").status == 404)
    #expect(try service.call("PUT", "/\(noun.plural)/x", key: "elsewhere", body: noun.change).status == 404)
    #expect(try service.call("DELETE", "/\(noun.plural)/x", key: "elsewhere").status == 404)
    #expect(try service.call("GET", "/\(noun.plural)", key: "elsewhere")["total"] == 0)
    #expect(try service.call("GET", "/\(noun.plural)/x?tenant_id=default", key: "elsewhere").status == 403)
    #expect(try service.call("GET", "/\(noun.plural)/x?tenant_id=default").json == created.json)
  }

  @Test("Each role may do what it is for, and nothing more", arguments: Noun.all)
  func roles(noun: Noun) throws {
    for (role, mayRead) in [("ingest", false), ("viewer", true), ("operator", true), ("admin", true)] {
      #expect(try service.call("GET", "/\(noun.plural)", key: role).status == (mayRead ? 200 : 403))
    }
    let refused = try service.call("POST", "/\(noun.plural)", key: noun.refused, body: noun.least)
    #expect(refused.status == 403)
    #expect(try refused.detail.contains(noun.refused))
    #expect(try service.call("PUT", "/\(noun.plural)/x", key: noun.refused, body: noun.change).status == 403)
    #expect(try service.call("GET", "/\(noun.plural)")["total"] == 0)
  }
}
