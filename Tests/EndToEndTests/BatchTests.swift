import Foundation
import Testing

@Suite("Batches behind nginx")
struct BatchTests {
  private static func makePolicy(_ members: String, on instance: Instance, key: String) async throws {
    let document = """
      {"policy_id":"logins","name":"Logins","rules":[{"field":"type","operator":"eq","value":"login"}],
      "message_template":"{user}","summary_template":"{user}","providers":[],\(members)}
      """
    let answer = try await instance.send(
      "/api/v1/alerts/policies", method: "POST", key: key, body: Data(document.utf8))
    try #require(answer.status == 201, "\(answer.text)")
  }

  private static func post(_ body: Data, type: String, on instance: Instance, key: String) async throws -> Answer {
    try await instance.send("/api/v1/alerts/process-event", method: "POST", key: key, type: type, body: body)
  }

  private static func event(_ type: String, user: Int) -> String { "{\"type\":\"\(type)\",\"user\":\"user \(user)\"}" }

  @Test("A batch as large as may be arrives whole, as lines and as an array")
  func large() async throws {
    let instance = try await Instance.shared
    let key = try await instance.makeKey(tenant: "large-batches")
    try await Self.makePolicy("\"throttle_minutes\":60", on: instance, key: key)
    let events = (0..<400_000).map { Self.event($0.isMultiple(of: 1000) ? "login" : "other", user: $0) }
    for (type, body) in [
      ("application/x-ndjson", events.joined(separator: "\n")),
      ("application/json", "[" + events.joined(separator: ",") + "]"),
    ] {
      let whole = Data(body.utf8) + Data(repeating: 0x20, count: 16 << 20 - body.utf8.count)
      let answer = try await Self.post(whole, type: type, on: instance, key: key)
      #expect(answer.status == 200)
      #expect(try answer.json["received"] as? Int == events.count)
      #expect(try answer.json["matched"] as? Int == 400)
      let tooLarge = try await Self.post(whole + Data([0x20]), type: type, on: instance, key: key)
      #expect(tooLarge.status == 413)
    }
    #expect(try await Self.eventCounts(on: instance, key: key) == [800])
  }

  @Test("Of many batches at once, each throttle key raises one alert, which stands for every event")
  func atOnce() async throws {
    let instance = try await Instance.shared
    let key = try await instance.makeKey(tenant: "batches-at-once")
    try await Self.makePolicy("\"throttle_minutes\":60,\"throttle_by\":[\"user\"]", on: instance, key: key)
    let triggered = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<64 {
        group.addTask {
          // All have the same keys, and each begins with another one.
          let lines = (0..<300).map { Self.event("login", user: ($0 * 7 + number) % 50) }
          let body = Data((number.isMultiple(of: 2) ? lines : lines.reversed()).joined(separator: "\n").utf8)
          let answer = try await Self.post(body, type: "application/x-ndjson", on: instance, key: key)
          #expect(answer.status == 200)
          return try #require(try answer.json["triggered_total"] as? Int)
        }
      }
      return try await group.reduce(0, +)
    }
    #expect(triggered == 50)
    #expect(try await Self.eventCounts(on: instance, key: key) == Array(repeating: 64 * 6, count: 50))
  }

  /// How many events each alert stands for.
  private static func eventCounts(on instance: Instance, key: String) async throws -> [Int] {
    let answer = try await instance.send("/api/v1/alerts/alerts?per_page=100", key: key).json
    return try #require(answer["alerts"] as? [[String: Any]]).compactMap { $0["event_count"] as? Int }
  }
}
