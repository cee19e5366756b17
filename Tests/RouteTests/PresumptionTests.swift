import Foundation
import JSON
import Store
import TestSupport
import Testing

/// What a worker makes of a key that it has looked up only just: every call here is the second one of its worker or a later one.
@Suite("process-event with a key that is remembered") struct PresumptionTests {
  private let service: Service

  init() throws {
    service = try Service()
    try makePolicy("logins")
    try #require(send(#"{"type":"logout"}"#).status == 200)
  }

  private func makePolicy(_ id: String) throws {
    let document = """
      {"policy_id":"\(id)","name":"Logins","rules":[{"field":"type","operator":"eq","value":"login"}],
      "message_template":"m","summary_template":"s","providers":[],"max_alerts_per_hour":0}
      """
    try #require(service.call("POST", "/policies", body: document).status == 201)
  }

  private func send(_ body: String, query: String = "") throws -> WebAnswer {
    try service.call("POST", "/process-event" + query, key: "ingest", body: body)
  }

  /// The policies that raised an alert, by what the sender is told and by what is there.
  private func raised(by body: String) throws -> [String] {
    let answer = try send(body)
    guard answer.status == 200, case .array(let alerts) = try answer["triggered_alerts"] else {
      throw SystemFailure("no alerts: \(answer.text)", 0)
    }
    return alerts.compactMap { $0.object?["policy_id"]?.string }.sorted()
  }

  private func stored() throws -> [String] {
    try service.database.texts("SELECT policy_id FROM alerts ORDER BY 1")
  }

  @Test("What matches is admitted, and answered with its alert")
  func admitted() throws {
    #expect(try raised(by: #"{"type":"login"}"#) == ["logins"])
    #expect(try stored() == ["logins"])
  }

  @Test("A policy that was just made decides, one that was just deleted does not, and what was mended matches")
  func changes() throws {
    try makePolicy("more")
    #expect(try raised(by: #"{"type":"login"}"#) == ["logins", "more"])
    try #require(service.call("DELETE", "/policies/logins").status == 204)
    #expect(try raised(by: #"{"type":"login"}"#) == ["more"])
    let changed = #"{"rules":[{"field":"type","operator":"eq","value":"logout"}]}"#
    try #require(service.call("PUT", "/policies/more", body: changed).status == 200)
    #expect(try raised(by: #"{"type":"login"}"#) == [])
    #expect(try raised(by: #"{"type":"logout"}"#) == ["more"])
    #expect(try stored() == ["logins", "more", "more", "more"])
  }

  @Test(
    "A key that was just revoked is refused whatever is sent, has no effect, and the refusal is on record",
    arguments: [#"{"type":"login"}"#, #"{"type":"logout"}"#, "{", ""])
  func revoked(body: String) throws {
    try service.database.run("UPDATE api_keys SET revoked_at = now() WHERE name = 'ingest'")
    #expect(try send(body).status == 401)
    #expect(try send(body, query: "?tenant_id=other").status == 401)
    #expect(try stored() == [])
    #expect(try service.database.texts("SELECT DISTINCT action FROM audit_log WHERE tenant_id = ''") == ["refuse"])
  }

  @Test("A key that has just expired is refused as one that has")
  func expired() throws {
    try service.database.run(
      "UPDATE api_keys SET created_at = now() - interval '1 day', expires_at = now() WHERE name = 'ingest'")
    let answer = try send(#"{"type":"login"}"#)
    #expect(answer.status == 401)
    #expect(answer.text.contains("expired"))
    #expect(try stored() == [])
  }

  @Test("What is wrong with a call is told as ever")
  func faults() throws {
    #expect(try send("{").status == 400)
    #expect(try send("{}", query: "?tenant_id=other").status == 403)
    #expect(try service.call("POST", "/process-event", key: "ingest", type: "text/plain", body: "{}").status == 415)
  }

  @Test("An event that comes after the worker's connection was closed is admitted through another one")
  func lostConnection() throws {
    try service.database.run(
      """
      SELECT pg_terminate_backend(pid, 60000)
      FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid()
      """)
    #expect(try raised(by: #"{"type":"login"}"#) == ["logins"])
    #expect(try stored() == ["logins"])
  }
}
