import JSON
import TestSupport
import Testing

@Suite("process-event") struct ProcessEventTests {
  let service: Service

  init() throws { service = try Service() }

  private func makePolicy(_ members: String = "", id: String = "logins") throws {
    let document = """
      {"policy_id":"\(id)","name":"Logins","rules":[{"field":"type","operator":"eq","value":"login"}],
      "message_template":"{user} logged in","summary_template":"Login ({severity}, {policy_name})","providers":[],
      "max_alerts_per_hour":0\(members.isEmpty ? "" : ",")\(members)}
      """
    let created = try service.call("POST", "/policies", body: document)
    try #require(created.status == 201, "\(created.text)")
  }

  private func send(_ body: String, type: String? = "application/json", key: String = "ingest") throws -> WebAnswer {
    try service.call("POST", "/process-event", key: key, type: type, body: body)
  }

  private func alerts(_ query: String = "") throws -> [JSONValue] {
    guard case .array(let alerts) = try service.call("GET", "/alerts?per_page=100" + query)["alerts"] else { return [] }
    return alerts
  }

  @Test("An event that meets a policy is answered with its alert, which is there to be read")
  func alert() throws {
    try makePolicy(#""severity":"high""#)
    let answer = try send(#"{"type":"login","user":"alice"}"#)
    #expect(answer.status == 200)
    #expect(try answer["success"] == true)
    #expect(try answer["message"] == "Event processed, 1 alerts triggered")
    guard case .array(let triggered) = try answer["triggered_alerts"] else { throw SystemFailure("no alerts", 0) }
    let alert = try #require(triggered.first?.object)
    #expect(alert["policy_id"] == "logins")
    #expect(alert["title"] == "alice logged in")
    #expect(alert["summary"] == "Login (high, Logins)")
    #expect(alert["delivery_results"] == [:])
    let stored = try #require(try alerts().first?.object)
    #expect(stored["alert_id"] == alert["alert_id"])
    #expect(stored["event_data"] == ["type": "login", "user": "alice"])
    #expect(stored["status"] == "active")
    #expect(try send(#"{"type":"logout","user":"alice"}"#)["triggered_alerts"] == [])
  }

  @Test("An array and NDJSON are batches, in which a bad event costs only itself")
  func batches() throws {
    try makePolicy()
    let array = try send(#"[{"type":"login","user":"a"},5,{"type":"x"},{"type":"login","user":"b"}]"#)
    #expect(array.status == 200)
    #expect(try array["received"] == 4)
    #expect(try array["matched"] == 2)
    #expect(try array["triggered_total"] == 2)
    let lines = "{\"type\":\"login\",\"user\":\"c\"}\r\n\n{\"type\":\n{\"type\":\"login\",\"user\":\"\u{e9}\"}"
    let batch = try send(lines, type: "application/x-ndjson; charset=utf-8")
    #expect(try batch["received"] == 3)
    #expect(try batch["triggered_total"] == 2)
    guard case .array(let rejected) = try batch["rejected"] else { throw SystemFailure("no rejects", 0) }
    #expect(rejected.first?.object?["index"] == 1)
    #expect(try alerts().count == 4)
  }

  @Test("A repeat of an event id is harmless and answers the first alert")
  func repeats() throws {
    try makePolicy()
    let first = try send(#"{"type":"login","event_id":"e-1","user":"alice"}"#)
    let again = try send(#"[{"type":"login","event_id":"e-1","user":"alice"},{"type":"login","event_id":"e-1"}]"#)
    guard case .array(let alerts) = try again["triggered_alerts"],
      case .array(let original) = try first["triggered_alerts"]
    else { throw SystemFailure("no alerts", 0) }
    #expect(alerts.count == 2)
    #expect(alerts.allSatisfy { $0.object?["duplicate"] == true })
    #expect(alerts.allSatisfy { $0.object?["alert_id"] == original.first?.object?["alert_id"] })
    #expect(try again["message"] == "Event processed, 0 alerts triggered")
    #expect(try self.alerts().count == 1)
  }

  @Test(
    "An event id is found however its key is written, and nothing else is taken for one",
    arguments: [
      (#""event_id":"1""#, true), (#""event_\u0069d" : "1""#, true), (#""event_id":7"#, true),
      (#""event_id":"2","event_id":"1""#, true), (#""event_id":"""#, false), (#""event_id":null"#, false),
      (#""event_id":["1"]"#, false), (#""other":{"event_id":"1"}"#, false), (#""other_id":"1""#, false),
      (#""event_id":"1","event_id":false"#, false), (#""user":"event_id""#, false),
    ])
  func eventIDs(member: String, isID: Bool) throws {
    try makePolicy()
    for repetition in [false, true] {
      let answer = try send("{\"type\":\"login\",\(member)}")
      #expect(try answer["message"] == .string("Event processed, \(repetition && isID ? 0 : 1) alerts triggered"))
    }
  }

  @Test("A saved policy holds from the very next request, in a worker that has compiled the old one")
  func policyEpoch() throws {
    try makePolicy()
    let event = #"{"type":"login","user":"alice"}"#
    #expect(try send(event)["message"] == "Event processed, 1 alerts triggered")
    #expect(try service.call("PUT", "/policies/logins", body: #"{"enabled":false}"#).status == 200)
    #expect(try send(event)["message"] == "Event processed, 0 alerts triggered")
    #expect(try service.call("PUT", "/policies/logins", body: #"{"enabled":true}"#).status == 200)
    #expect(try send(event)["message"] == "Event processed, 1 alerts triggered")
    #expect(try service.call("DELETE", "/policies/logins").status == 204)
    #expect(try send(event)["message"] == "Event processed, 0 alerts triggered")
    #expect(try alerts().count == 2)
  }

  @Test("A stored rule is used by its id, and its change holds from the next request on")
  func storedRules() throws {
    let rule = #"{"rule_id":"r","name":"r","field":"user","operator":"eq","value":"root"}"#
    #expect(try service.call("POST", "/rules", body: rule).status == 201)
    try makePolicy(#""rule_configs":[{"rule_id":"r"}]"#)
    #expect(try send(#"{"user":"root"}"#)["message"] == "Event processed, 1 alerts triggered")
    #expect(try service.call("PUT", "/rules/r", body: #"{"value":"admin"}"#).status == 200)
    #expect(try send(#"{"user":"root"}"#)["message"] == "Event processed, 0 alerts triggered")
    #expect(try send(#"{"user":"admin"}"#)["message"] == "Event processed, 1 alerts triggered")
  }

  @Test("A suppression holds back what its matchers hold for, on record as suppressed")
  func suppressions() throws {
    try makePolicy()
    let suppression = """
      {"matchers":[{"field":"user","operator":"starts_with","value":"test-"}],"reason":"drill",
      "suppressed_until":"2999-01-01T00:00:00Z"}
      """
    #expect(try service.call("POST", "/suppressions", body: suppression).status == 201)
    #expect(try send(#"{"type":"login","user":"test-1"}"#)["triggered_alerts"] == [])
    #expect(try send(#"{"type":"login","user":"alice"}"#)["message"] == "Event processed, 1 alerts triggered")
    #expect(try alerts("&status=suppressed").map { $0.object?["title"] } == ["test-1 logged in"])
    #expect(try alerts("&status=active").map { $0.object?["title"] } == ["alice logged in"])
  }

  @Test("Held-back events grow the open alert's event_count")
  func eventCount() throws {
    try makePolicy(#""throttle_minutes":5,"throttle_by":["user"]"#)
    for user in ["alice", "alice", "bob", "alice"] { _ = try send("{\"type\":\"login\",\"user\":\"\(user)\"}") }
    let counts = try alerts().map { [$0.object?["title"], $0.object?["event_count"]] }
    #expect(counts == [["bob logged in", 1], ["alice logged in", 3]])
  }

  @Test("Held-back events are counted for the policy's digest from the next event after it was asked for")
  func digest() throws {
    try makePolicy(#""policy_id":"x","throttle_minutes":5,"throttle_by":["user"]"#)
    let login = #"{"type":"login","user":"alice"}"#
    for _ in 0..<2 { _ = try send(login) }
    #expect(try service.call("PUT", "/policies/x", body: #"{"digest_minutes":15}"#).status == 200)
    for _ in 0..<3 { _ = try send(login) }
    #expect(try service.database.texts("SELECT policy_id || ' ' || events FROM alert_held_back") == ["x 3"])
    #expect(try service.call("PUT", "/policies/x", body: #"{"digest_minutes":0}"#).status == 200)
    _ = try send(login)
    #expect(try service.database.texts("SELECT policy_id || ' ' || events FROM alert_held_back") == ["x 3"])
  }

  @Test("Every strange but lawful event raises, and comes back as it was sent")
  func strangeEvents() throws {
    try makePolicy()
    let digits = String(repeating: "7", count: 400)
    let events = [
      #"{"type":"login","user":"nul\u0000end"}"#, #"{"type":"login","user":"lone \ud800 surrogate"}"#,
      #"{"type":"x","type":"login","user":"twice"}"#, "{\"type\":\"login\",\"user\":\(digits)}",
      "{\"type\":\"login\",\"user\":1e\(digits)}", "{\"type\":\"login\",\"user\":\"\u{1F600}\u{202E}\"}",
    ]
    for event in events {
      let answer = try send(event)
      #expect(answer.status == 200)
      #expect(try answer["message"] == "Event processed, 1 alerts triggered")
    }
    let listed = try service.call("GET", "/alerts").text
    for event in events { #expect(listed.contains("\"event_data\":" + event)) }
    #expect(try alerts().last?.object?["title"] == "nul\u{FFFD}end logged in")
  }

  @Test(
    "What is no event is refused with a sentence that helps",
    arguments: [
      ("", 400, "empty"), ("{", 400, "byte 1"), (#"{"a":1,}"#, 400, "byte 7"), ("nonsense", 400, "byte 0"),
      ("{\"a\":\"\u{1}\"}", 400, "control character"), ("5", 422, "an object, or an array of events, not a number"),
      (#""login""#, 422, "not a string"), ("[{},", 400, "byte 4"), ("{}{}", 400, "byte 2"),
    ])
  func notAnEvent(body: String, status: Int, words: String) throws {
    let answer = try send(body)
    #expect(answer.status == status)
    #expect(try answer.detail.contains(words), "\(answer.text)")
  }

  @Test("Bytes that are not UTF-8, nesting past all sense, and sizes past the limits are refused")
  func refused() throws {
    try makePolicy()
    let invalid = try service.call(
      "POST", "/process-event", key: "ingest", body: Array(#"{"type":""#.utf8) + [0xC3, 0x28] + Array(#""}"#.utf8))
    #expect(invalid.status == 400)
    #expect(try invalid.detail.contains("UTF-8"))
    let deep = String(repeating: "{\"a\":", count: 10_000) + "1" + String(repeating: "}", count: 10_000)
    let nested = try send(deep)
    #expect(nested.status == 400)
    #expect(try nested.detail.contains("128"))
    let padding = String(repeating: "x", count: 2 << 20)
    let large = try send("{\"type\":\"login\",\"user\":\"\(padding)\"}")
    #expect(large.status == 413)
    #expect(try large.detail.contains("1048576 bytes"))
    let batch = try send("[{\"type\":\"login\",\"user\":\"\(padding)\"},{\"type\":\"login\",\"user\":\"b\"}]")
    #expect(try batch["triggered_total"] == 1)
    #expect(try batch["rejected_total"] == 1)
    #expect(try send(String(repeating: " ", count: 64 << 20)).status == 413)
    #expect(try alerts().count == 1)
  }

  @Test("Events whose alerts would be too much at once are refused whole")
  func manyMatches() throws {
    for number in 0..<150 {
      try makePolicy(#""message_template":"{pad}""#, id: "policy-\(number)")
    }
    let event = "{\"type\":\"login\",\"pad\":\"\(String(repeating: "x", count: 100_000))\"}"
    let one = try send(event)
    #expect(try one["message"] == "Event processed, 150 alerts triggered")
    let many = try send("[" + Array(repeating: event, count: 20).joined(separator: ",") + "]")
    #expect(many.status == 413)
    #expect(try many.detail.contains("fewer at once"))
    #expect(try service.call("GET", "/alerts?per_page=1")["total"] == 150)
  }

  @Test("A key may send events only for its own tenant, and only if its role says so")
  func callers() throws {
    try makePolicy()
    let event = #"{"type":"login","user":"alice"}"#
    #expect(try send(event, key: "viewer").status == 403)
    #expect(try send(event, key: "operator").status == 403)
    #expect(try send(event, key: "nobody").status == 401)
    #expect(try send(event, key: "elsewhere")["triggered_alerts"] == [])
    let own = try service.call("POST", "/process-event?tenant_id=default", key: "ingest", body: event)
    #expect(own.status == 200)
    let other = try service.call("POST", "/process-event?tenant_id=other", key: "ingest", body: event)
    #expect(other.status == 403)
    #expect(try send(event, type: "text/plain").status == 415)
    #expect(try alerts().count == 1)
  }

  @Test("A stored policy that cannot be read is no fault of who sends an event, and the log names it")
  func unreadablePolicy() throws {
    #expect(try service.call("POST", "/policies", body: Noun.all[0].document(id: "broken")).status == 201)
    try service.database.run("UPDATE alert_policies SET document = '{}'")
    let answer = try service.call("POST", "/process-event", key: "ingest", body: #"{"a":1}"#)
    #expect(answer.status == 500)
    #expect(try service.worker("process-event").program.standardError.contains("the stored policy broken"))
    #expect(try service.call("DELETE", "/policies/broken").status == 204)
    #expect(try service.call("POST", "/process-event", key: "ingest", body: #"{"a":1}"#).status == 200)
  }

  @Test("One process per request, as plain CGI, does the same")
  func plainCGI() throws {
    try makePolicy()
    let answer = try service.callCGI("POST", "/process-event", key: "ingest", body: #"{"type":"login","user":"alice"}"#)
    #expect(answer.status == 200)
    #expect(try answer["message"] == "Event processed, 1 alerts triggered")
    #expect(try alerts().count == 1)
  }
}
