import Foundation
import Testing

@Suite("The service behind nginx")
struct ServiceTests {
  @Test("It is up, and says so without a key")
  func health() async throws {
    let answer = try await Instance.shared.send("/health")
    #expect(answer.status == 200)
    #expect(answer.header("Content-Type") == "application/json")
  }

  @Test("The first key opens the API, and a wrong one does not")
  func keys() async throws {
    let instance = try await Instance.shared
    #expect(try await instance.send("/api/v1/alerts/policies", key: instance.key).status == 200)
    for key in [nil, "", "test-token", instance.key + "x"] {
      let answer = try await instance.send("/api/v1/alerts/policies", key: key)
      #expect(answer.status == 401)
      #expect(answer.header("Content-Type") == "application/problem+json")
      #expect(answer.header("WWW-Authenticate") == "Bearer")
    }
  }

  @Test("A key that is revoked is refused from the very next request")
  func revokedKey() async throws {
    let instance = try await Instance.shared
    let key = try await instance.makeKey(tenant: "revoking")
    #expect(try await instance.send("/api/v1/alerts/policies", key: key).status == 200)
    let list = try await instance.tocsin("keys", "list", "--tenant", "revoking").output
    let id = try #require(list.firstMatch(of: #/key-[0-9a-f-]+/#)).output
    #expect(try await instance.tocsin("keys", "revoke", "--tenant", "revoking", String(id)).status == 0)
    #expect(try await instance.send("/api/v1/alerts/policies", key: key).status == 401)
  }

  @Test(
    "A path that is no route is a problem in nginx's own words",
    arguments: [
      "/", "/health/x", "/api", "/api/v1/alerts/", "/api/v1/alerts/nothing", "/api/v1/alerts/deliver",
      "/api/v1/alerts/..%2f..%2fx", "/problem/404",
    ])
  func unknownRoute(path: String) async throws {
    let answer = try await Instance.shared.send(path)
    #expect(answer.status == 404)
    #expect(answer.header("Content-Type") == "application/problem+json")
    #expect(try answer.json["status"] as? Int == 404)
    #expect(try (answer.json["detail"] as? String)?.isEmpty == false)
  }

  @Test("A method that nginx itself refuses is told those that the path takes; a path that is none is 404 all the same")
  func allowed() async throws {
    let instance = try await Instance.shared
    let answer = try await instance.send("/api/v1/alerts/policies", method: "TRACE")
    #expect(answer.status == 405)
    #expect(answer.header("Allow") == "GET, POST, HEAD")
    let nothing = try await instance.send("/api/v1/alerts/nothing", method: "TRACE")
    #expect(nothing.status == 404)
    #expect(nothing.header("Content-Type") == "application/problem+json")
  }

  @Test("What nginx itself refuses is a problem too")
  func refusals() async throws {
    let instance = try await Instance.shared
    let large = Data(count: 17 << 20)
    let requests: [(status: Int, path: String, method: String, body: Data?)] = [
      (413, "/api/v1/alerts/process-event", "POST", large),
      (414, "/health?" + String(repeating: "x", count: 10_000), "GET", nil),
      (405, "/health", "TRACE", nil),
    ]
    for request in requests {
      let answer = try await instance.send(request.path, method: request.method, body: request.body)
      #expect(answer.status == request.status)
      #expect(answer.header("Content-Type") == "application/problem+json")
      #expect(try answer.json["status"] as? Int == request.status)
    }
  }
}
