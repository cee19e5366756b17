import Foundation
import JSON
import TestSupport
import Testing

/// What people see of deliveries, through nginx, with the job that carries them out.
@Suite("The ledger of deliveries")
struct LedgerTests {
  let instance: Instance
  let key: String

  init() async throws {
    instance = try await Instance.shared
    key = try await instance.makeKey(tenant: "ledger")
  }

  private func call(
    _ method: String, _ path: String, prefer: String? = nil, _ document: JSONValue? = nil
  ) async throws -> JSONObject {
    let answer = try await instance.send(
      "/api/v1/alerts/" + path, method: method, key: key, prefer: prefer, body: document.map { Data($0.json) })
    try #require((200...201).contains(answer.status), "\(answer.text)")
    return try #require(try JSONValue(parsing: answer.body).object)
  }

  @Test("A provider is tested before it is switched on, its first delivery is waited for, seen, and sent once more")
  func life() async throws {
    let receiver = try HTTPReceiver()
    try receiver.answer(
      "/hook", with: .init(418, body: Array("a teapot knows no secret-t0ken".utf8)),
      .init(200, body: Array("got it".utf8)))
    _ = try await call(
      "POST", "providers",
      [
        "provider_id": "hook", "name": "Hook", "enabled": false, "provider_type": "webhook",
        "config": ["url": .string(receiver.plainURL + "/hook"), "headers": ["X-Token": "secret-t0ken"]],
      ])
    let test = try await call("POST", "providers/hook/test")
    #expect(test["status"] == 418)
    #expect(test["answer"] == "a teapot knows no ********")
    #expect(test["state"] == "failed")
    let told = try #require(try receiver.requests(to: "/hook").first)
    #expect(String(decoding: told.body, as: UTF8.self).contains("Test of provider Hook"))

    _ = try await call("PUT", "providers/hook", ["enabled": true])
    _ = try await call(
      "POST", "policies",
      [
        "policy_id": "root", "name": "Root", "rules": [["field": "user", "operator": "eq", "value": "root"]],
        "message_template": "m", "summary_template": "s", "providers": ["hook"],
      ])
    let answer = try await call("POST", "process-event", prefer: "wait=30", ["user": "root"])
    guard case .array(let alerts) = answer["triggered_alerts"], let alert = alerts.first?.object else {
      throw Overdue(description: "no alert: \(answer)")
    }
    // Requests of other tests may want the worker that waits; then it says how far the delivery is.
    let results = try #require(alert["delivery_results"])
    #expect([["hook": "sent"], ["hook": "pending"]].contains(results))

    let list = try await call("GET", "deliveries?alert_id=\(alert["alert_id"]?.string ?? "")")
    guard case .array(let deliveries) = list["deliveries"], let id = deliveries.first?.object?["delivery_id"]?.string
    else { throw Overdue(description: "no delivery: \(list)") }
    try await wait(for: "the delivery to be sent") { try await call("GET", "deliveries/\(id)")["state"] == "sent" }
    let delivery = try await call("GET", "deliveries/\(id)")
    guard case .array(let attempts) = delivery["attempts"] else { throw Overdue(description: "no attempts") }
    #expect(attempts.count == 1)
    let attempt = try #require(attempts.first?.object)
    #expect(attempt["status"] == 200 && attempt["answer"] == "got it" && attempt["verdict"] == "sent")

    _ = try await call("POST", "deliveries/\(id)/retry", ["again": true])
    try await wait(upTo: 60, for: "the second attempt") {
      let again = try await call("GET", "deliveries/\(id)")
      return again["state"] == "sent" && again["attempt_count"] == 2
    }
    let ids = try receiver.requests(to: "/hook").map { $0.headers["webhook-id"] }
    #expect(ids.count == 3 && ids[1] == ids[2] && ids[0] != ids[1])
  }
}
