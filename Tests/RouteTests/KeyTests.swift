import JSON
import Store
import TestSupport
import Testing

@Suite("Keys over the API") struct KeyTests {
  let service: Service

  init() throws { service = try Service() }

  private func make(_ body: String = #"{"name":"gateway","role":"viewer"}"#) throws -> (key: String, id: String) {
    let answer = try service.call("POST", "/keys", body: body)
    try #require(answer.status == 201, "\(answer.text)")
    return try (#require(answer["key"]?.string), #require(answer["key_id"]?.string))
  }

  private func id(of name: String) throws -> String {
    try service.database.texts("SELECT key_id FROM api_keys WHERE name = '\(name)'")[0]
  }

  @Test("A new key is shown once, works at once, and is found at its Location without the key itself")
  func create() throws {
    let body =
      #"{"name":"gateway","role":"viewer","expires_at":"2999-01-01T01:00:00+01:00","allowed_cidrs":["10.0.0.0/8"]}"#
    let created = try service.call("POST", "/keys", body: body)
    #expect(created.status == 201)
    #expect(created.headers["cache-control"] == "no-store")
    let key = try #require(try created["key"]?.string)
    let id = try #require(try created["key_id"]?.string)
    #expect(created.headers["location"] == "/api/v1/alerts/keys/\(id)")
    #expect(key.wholeMatch(of: #/tocsin_[0-9a-f]{72}/#) != nil)
    var expected = try #require(try created.json.object)
    expected["key"] = nil
    #expect(try service.call("GET", "/keys/\(id)").json == .object(expected))
    #expect(try created["expires_at"] == "2999-01-01T00:00:00.000000Z")
    #expect(try created["allowed_cidrs"] == ["10.0.0.0/8"])
    #expect(try created["tenant_id"] == "default")
    #expect(try created["status"] == "active")
    #expect(try created["created_by"] == .string(self.id(of: "admin")))
    #expect(try service.call("GET", "/rules", key: key, from: "10.9.9.9").status == 200)
    #expect(try service.database.texts("SELECT 'x' FROM api_keys AS k WHERE k::text LIKE '%\(key)%'") == [])
  }

  @Test("A key is refused from other addresses, and told from which it came")
  func foreignAddress() throws {
    let (key, _) = try make(#"{"name":"g","role":"viewer","allowed_cidrs":["10.0.0.0/8"]}"#)
    let answer = try service.call("GET", "/rules", key: key, from: "192.0.2.9")
    #expect(answer.status == 403)
    #expect(try answer.detail.contains("192.0.2.9"))
    #expect(try service.call("GET", "/rules", key: key).status == 403)
  }

  @Test("A key that has expired is told so")
  func expired() throws {
    let (key, id) = try make()
    try service.database.run(
      "UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE key_id = '\(id)'")
    let answer = try service.call("GET", "/rules", key: key)
    #expect(answer.status == 401)
    #expect(answer.headers["www-authenticate"] == "Bearer")
    #expect(try answer.detail.contains("expired"))
  }

  @Test("The list has the tenant's own keys, oldest first, and can be narrowed by status")
  func list() throws {
    let (_, id) = try make()
    #expect(try service.call("DELETE", "/keys/\(id)").status == 204)
    let all = try service.call("GET", "/keys?per_page=100")
    #expect(try all["total"] == 5)
    #expect(!all.text.contains("elsewhere"))
    let revoked = try service.call("GET", "/keys?status=revoked")
    #expect(try revoked["total"] == 1)
    #expect(revoked.text.contains(id))
    #expect(try service.call("GET", "/keys?status=lost").pointers == ["?status"])
  }

  @Test("A revoked key is refused from the next call on and stays in the list; a key cannot revoke itself")
  func revoke() throws {
    let (key, id) = try make()
    #expect(try service.call("GET", "/rules", key: key).status == 200)
    for _ in 1...2 { #expect(try service.call("DELETE", "/keys/\(id)").status == 204) }
    #expect(try service.call("GET", "/rules", key: key).status == 401)
    #expect(try service.call("GET", "/keys/\(id)")["status"] == "revoked")
    #expect(try service.call("DELETE", "/keys/none").status == 404)
    let own = try service.call("DELETE", "/keys/\(self.id(of: "admin"))")
    #expect(own.status == 409)
    #expect(try service.call("GET", "/keys").status == 200)
  }

  @Test("A rotated key and its successor both work for the overlap")
  func rotate() throws {
    let (key, id) = try make()
    let rotated = try service.call("POST", "/keys/\(id)/rotate", body: #"{"overlap_seconds":3600}"#)
    #expect(rotated.status == 201)
    #expect(rotated.headers["cache-control"] == "no-store")
    let new = try #require(try rotated["key"]?.string)
    let newID = try #require(try rotated["key_id"]?.string)
    #expect(rotated.headers["location"] == "/api/v1/alerts/keys/\(newID)")
    let predecessor = try #require(try rotated["predecessor"]?.object)
    #expect(predecessor["key_id"] == .string(id))
    #expect(predecessor["successor_id"] == .string(newID))
    #expect(predecessor["expires_at"] != .null)
    for key in [key, new] { #expect(try service.call("GET", "/rules", key: key).status == 200) }
    let again = try service.call("POST", "/keys/\(id)/rotate")
    #expect(again.status == 409)
    #expect(try again.detail.contains(newID))
    #expect(try service.call("POST", "/keys/\(newID)/rotate", body: "").status == 201)
    #expect(try service.call("POST", "/keys/none/rotate").status == 404)
  }

  @Test("An admin who rotates its own key keeps it for a minute at least, for the answer may be lost")
  func ownKey() throws {
    let id = try id(of: "admin")
    let refused = try service.call("POST", "/keys/\(id)/rotate", body: #"{"overlap_seconds":0}"#)
    #expect(refused.status == 422)
    #expect(try refused.pointers == ["/overlap_seconds"])
    let rotated = try service.call("POST", "/keys/\(id)/rotate", body: #"{"overlap_seconds":60}"#)
    #expect(try service.call("GET", "/keys", key: rotated["key"]?.string).status == 200)
  }

  @Test(
    "What says something impossible is 422 with a pointer to it, and makes no key",
    arguments: [
      (#"{"role":"viewer"}"#, "/name"), (#"{"name":"a"}"#, "/role"), (#"{"name":"a","role":"boss"}"#, "/role"),
      (#"{"name":"a\nb","role":"viewer"}"#, "/name"), (#"{"name":"","role":"viewer"}"#, "/name"),
      (#"{"name":"a","role":"viewer","expires_at":"2001-01-01T00:00:00Z"}"#, "/expires_at"),
      (#"{"name":"a","role":"viewer","expires_at":"soon"}"#, "/expires_at"),
      (#"{"name":"a","role":"viewer","allowed_cidrs":"10.0.0.0/8"}"#, "/allowed_cidrs"),
      (#"{"name":"a","role":"viewer","allowed_cidrs":["10.0.0.0/8","10.0.0.0/33"]}"#, "/allowed_cidrs/1"),
      (#"{"name":"a","role":"viewer","tenant_id":"other"}"#, "/tenant_id"),
      (#"{"name":"a","role":"viewer","key":"chosen"}"#, "/key"),
    ])
  func impossible(body: String, pointer: String) throws {
    let answer = try service.call("POST", "/keys", body: body)
    #expect(answer.status == 422)
    #expect(try answer.pointers.contains(pointer), "\(answer.text)")
    #expect(try service.call("GET", "/keys")["total"] == 4)
  }

  @Test("Another tenant's keys are not there, and none can be made for it")
  func tenants() throws {
    let (_, id) = try make()
    for (method, path) in [("GET", "/keys/\(id)"), ("DELETE", "/keys/\(id)"), ("POST", "/keys/\(id)/rotate")] {
      #expect(try service.call(method, path, key: "elsewhere").status == 404)
    }
    let body = #"{"name":"a","role":"viewer"}"#
    #expect(try service.call("POST", "/keys?tenant_id=other", body: body).status == 403)
    #expect(try service.call("GET", "/keys/\(id)")["status"] == "active")
  }
}
