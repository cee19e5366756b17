import TestSupport
import Testing

/// How often somebody may call.
@Suite("Rate limits") struct RateLimitTests {
  private let service: Service
  private let folder: TemporaryFolder

  init() throws {
    service = try Service()
    folder = try TemporaryFolder()
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path
  }

  /// The answers to so many requests one after the other.
  private func answers(_ count: Int, key: String, path: String = "/rules") throws -> [WebAnswer] {
    try (0..<count).map { _ in try service.call("GET", path, key: key) }
  }

  @Test("A key that is used too often is told when to come again, by whichever route, and no other key with it")
  func perKey() throws {
    service.settings["ALERTING_RATE_LIMIT_KEY"] = "1"
    let first = try answers(1, key: "viewer")[0]
    #expect(first.status == 200)
    #expect(first.headers["ratelimit-policy"] == #""key";q=5;w=5"#)
    #expect(first.headers["ratelimit"] == #""key";r=4;t=1"#)
    // Five are there, and one more may have come meanwhile for each second.
    let more = try answers(30, key: "viewer", path: "/policies")
    let refused = try #require(more.first { $0.status == 429 })
    #expect(refused.headers["retry-after"] == "1")
    #expect(refused.headers["ratelimit"] == #""key";r=0;t=1"#)
    #expect(refused.headers["content-type"] == "application/problem+json")
    #expect(try refused.detail.contains("1 s"))
    #expect(try answers(1, key: "admin")[0].status == 200)
  }

  @Test("All keys of a tenant have one limit together, and another tenant has its own")
  func perTenant() throws {
    service.settings["ALERTING_RATE_LIMIT_TENANT"] = "1"
    let statuses = try (0..<15).flatMap { _ in try ["viewer", "operator"].map { try answers(1, key: $0)[0].status } }
    #expect(statuses.contains(429))
    #expect(try answers(1, key: "elsewhere")[0].headers["ratelimit"] == #""tenant";r=4;t=1"#)
  }

  @Test("An answer that is an error tells of the limits too, and a wrong key draws from nobody's")
  func errors() throws {
    service.settings["ALERTING_RATE_LIMIT_KEY"] = "1000"
    let missing = try answers(1, key: "viewer", path: "/policies/none")[0]
    #expect(missing.status == 404)
    #expect(missing.headers["ratelimit"] != nil)
    let forbidden = try answers(1, key: "ingest")[0]
    #expect(forbidden.status == 403)
    #expect(forbidden.headers["ratelimit"] != nil)
    let unknown = try answers(1, key: "wrong")[0]
    #expect(unknown.status == 401)
    #expect(unknown.headers["ratelimit"] == nil)
  }

  @Test("Without limits no answer speaks of them, and nothing is written")
  func none() throws {
    service.settings["ALERTING_STATE_DIRECTORY"] = folder.path + "/none"
    let answer = try answers(1, key: "viewer")[0]
    #expect(answer.status == 200)
    #expect(answer.headers["ratelimit"] == nil)
  }

  @Test("A limit that is no number, and a host without a place to count, are told when the worker starts")
  func settings() throws {
    service.settings["ALERTING_RATE_LIMIT_TENANT"] = "1"
    for (name, value) in [("ALERTING_RATE_LIMIT_KEY", "many"), ("ALERTING_STATE_DIRECTORY", "/nonexistent")] {
      let program = try Program("rules", environment: service.environment.merging([name: value]) { $1 })
      #expect(program.ending(within: 20) == .exit(1))
      #expect(program.standardError.contains(value))
    }
  }
}
