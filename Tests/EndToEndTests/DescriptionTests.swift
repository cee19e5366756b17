import Foundation
import Testing

@Suite("The description of the API, and the service")
struct DescriptionTests {
  private static let file = "nginx/docs/openapi.json"

  /// Runs a program of those that deploy/test installs for the description.
  private func tool(_ arguments: [String], input: String = "") async throws -> Command {
    let tools = try #require(ProcessInfo.processInfo.environment["TOCSIN_TEST_DESCRIPTION_TOOLS"])
    return try await Command.run("/usr/bin/python3", arguments, settings: ["PYTHONPATH": tools], input: input)
  }

  @Test("It is valid OpenAPI")
  func validity() async throws {
    let checked = try await tool(["-m", "openapi_spec_validator", "--errors", "all", Self.file])
    #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
  }

  @Test("It is served as it is in the checkout")
  func served() async throws {
    let answer = try await Instance.shared.send("/openapi.json")
    #expect(answer.status == 200)
    #expect(answer.header("Content-Type") == "application/json")
    #expect(answer.body == (try Data(contentsOf: Checkout.top.appending(path: Self.file))))
  }

  @Test("The page that shows it needs nothing of anybody else's, and may run nothing else")
  func page() async throws {
    let instance = try await Instance.shared
    let page = try await instance.send("/docs")
    #expect(page.status == 200)
    #expect(page.header("Content-Type") == "text/html; charset=utf-8")
    let policy = try #require(page.header("Content-Security-Policy"))
    #expect(policy.hasPrefix("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"))
    #expect(!policy.contains("unsafe"))
    let links = page.text.matches(of: #/(?:src|href)="([^"]*)"/#).map { String($0.1) }
    #expect(links == ["/docs/docs.css", "/docs/docs.js", "/openapi.json"])
    for (path, type) in [("/docs/docs.js", "text/javascript"), ("/docs/docs.css", "text/css")] {
      let part = try await instance.send(path)
      #expect(part.status == 200)
      #expect(part.header("Content-Type") == "\(type); charset=utf-8")
      #expect(!part.text.contains("://") && !part.text.contains("innerHTML"))
    }
  }

  @Test("Each path takes the methods that are described, and no others", arguments: ["PATCH", "OPTIONS", "TRACE"])
  func methods(method: String) async throws {
    let document = try JSONSerialization.jsonObject(with: Data(contentsOf: Checkout.top.appending(path: Self.file)))
    let paths = try #require((document as? [String: Any])?["paths"] as? [String: [String: Any]])
    let instance = try await Instance.shared
    for (path, item) in paths {
      let described = Set(item.keys.filter { $0 != "parameters" }.map { $0.uppercased() })
      let answer = try await instance.send(path.replacing(#/\{\w+\}/#, with: "some"), method: method, key: instance.key)
      #expect(answer.status == 405, "\(path)")
      let allowed = Set(answer.header("Allow")?.split(separator: ", ").map(String.init) ?? [])
      #expect(allowed == (described.contains("GET") ? described.union(["HEAD"]) : described), "\(path)")
    }
  }

  @Test("Every example is answered as described")
  func examples() async throws {
    let instance = try await Instance.shared
    let key = try await instance.makeKey(tenant: "examples")
    let url = "http://127.0.0.1:\(instance.port)"
    let sent = try await tool(["Tests/EndToEndTests/Description/examples.py", url, Self.file], input: key)
    #expect(sent.status == 0, "\(sent.output)\(sent.errors)")
  }

  @Test("While the database is away every example is answered as described too")
  func outage() async throws {
    let instance = try await Instance()
    #expect(try await instance.supervisorctl("stop", "postgres").status == 0)
    let url = "http://127.0.0.1:\(instance.port)"
    let sent = try await tool(
      ["Tests/EndToEndTests/Description/examples.py", url, Self.file, "away"], input: instance.key)
    #expect(sent.status == 0, "\(sent.output)\(sent.errors)")
    #expect(try await instance.stop().status == 0)
  }

  @Test("Generated calls are answered as described, and never by a fault of the service")
  func generated() async throws {
    // What is generated as a receiver must reach nobody. A limit that nothing comes near has every answer tell of it.
    let instance = try await Instance(
      settings: ["ALERTING_PAGERDUTY_URL": "http://127.0.0.1:9", "ALERTING_RATE_LIMIT_KEY": "100000"])
    let url = "http://127.0.0.1:\(instance.port)"
    let checked = try await Command.run(
      "deploy/check-api", [url, "--phases", "fuzzing,stateful", "--max-examples", "35"], input: instance.key + "\n")
    #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
    let count = checked.output.firstMatch(of: #/(\d+) generated/#).flatMap { Int($0.1) }
    #expect(try #require(count) >= 1000)
    #expect(try await instance.stop().status == 0)
  }
}
