import API
import JSON
import Store
import TestSupport
import Testing

/// What somebody reaches of another tenant who knows all its ids: nothing, by any call that there is.
@Suite("Another tenant's records") struct OtherTenantTests {
  private let service: Service
  /// The ids of the other tenant, by the parameter that they stand for in a path.
  private var ids: [String: String] = [:]

  /// One record of each kind, an alert and its delivery, all of the tenant `other`.
  init() throws {
    service = try Service()
    for noun in Noun.all {
      let id = "their-\(noun.plural)"
      ids[noun.id] = id
      try #require(create("/\(noun.plural)", noun.document(id: id)).status == 201)
    }
    let loud = #"{"providers":["their-providers"],"rule_configs":[{"rule_id":"their-rules"}]}"#
    try #require(
      service.call("PUT", "/policies/their-policies", key: "elsewhere", body: loud).status == 200)
    ids["key_id"] = try create("/keys", #"{"name":"their-key","role":"viewer"}"#)["key_id"]?.string
    ids["suppression_id"] = "their-suppressions"
    try #require(
      service.call("PUT", "/suppressions/their-suppressions", key: "elsewhere", body: #"{"policy_id":"none"}"#).status
        == 200)
    try #require(create("/process-event", Self.event).status == 200)
    ids["alert_id"] = try service.database.texts("SELECT alert_id FROM alerts")[0]
    ids["delivery_id"] = try service.database.texts("SELECT delivery_id::text FROM alert_deliveries")[0]
  }

  private static let event = #"{"a":1,"event_id":"their-event"}"#

  private func create(_ path: String, _ body: String) throws -> WebAnswer {
    try service.call("POST", path, key: "elsewhere", body: body)
  }

  /// All rows of the tenant, each table's under its name, as texts.
  private func rows(of tenant: String) throws -> [String: [String]] {
    let tables = try service.database.texts(
      "SELECT attrelid::regclass::text FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
        + "WHERE attname = 'tenant_id' AND relkind = 'r'")
    return try Dictionary(
      uniqueKeysWithValues: tables.map { table in
        let query = "SELECT whole::text FROM \(table) AS whole WHERE tenant_id = '\(tenant)' ORDER BY 1"
        return (table, try service.database.texts(query))
      })
  }

  /// The path with the other tenant's ids in the place of its parameters.
  private func path(_ path: String) throws -> String {
    try path.split(separator: "/").reduce(into: "") { path, segment in
      let id = segment.hasPrefix("{") ? ids[String(segment.dropFirst().dropLast())] : String(segment)
      path += "/" + (try #require(id, "what is the other tenant's \(segment)?"))
    }
  }

  /// What a call sends that has no id in its path, or a body of its own; and what it is answered. One whose answer is a list needs none.
  private static let bodies: [String: (body: String, status: Int)] = [
    "PUT /policies/{policy_id}": (#"{"name":"x"}"#, 404),
    "PUT /rules/{rule_id}": (#"{"name":"x"}"#, 404),
    "PUT /providers/{provider_id}": (#"{"name":"x"}"#, 404),
    "PUT /suppressions/{suppression_id}": (#"{"reason":"x"}"#, 404),
    "POST /deliveries/{delivery_id}/retry": (#"{"again":true}"#, 404),
    // The other tenant's rules and providers cannot be named.
    "POST /policies": (
      """
      {"name":"p","rule_configs":[{"rule_id":"their-rules"}],"message_template":"m","summary_template":"s",
      "providers":["their-providers"]}
      """, 422
    ),
    "POST /rules": (#"{"name":"r","field":"a","operator":"eq","value":1}"#, 201),
    "POST /rules/simple": (#"{"name":"r","field":"a","operator":"eq","value":1}"#, 201),
    "POST /rules/compound": (
      #"{"name":"r","group_operator":"AND","conditions":[{"field":"a","operator":"eq","value":1}]}"#, 201
    ),
    "POST /providers": (
      #"{"name":"w","provider_type":"webhook","config":{"url":"https://example.com/hook"}}"#, 201
    ),
    "POST /suppressions": (#"{"policy_id":"none","suppressed_until":"2999-01-01T00:00:00Z"}"#, 201),
    "POST /keys": (#"{"name":"k","role":"viewer"}"#, 201),
    "POST /deliveries/retry": (#"{"provider_id":"their-providers","states":["pending","sent"],"again":true}"#, 200),
    "POST /process-event": (event, 200),
  ]

  @Test("No call shows, changes or removes any of them, or tells that they are there")
  func walk() throws {
    let before = try rows(of: "other")
    #expect(before.values.count { !$0.isEmpty } > 10)
    for entry in RoleTable.entries {
      let call = "\(entry.method) \(entry.path)"
      let isAboutOne = entry.path.contains("{")
      let known = Self.bodies[call]
      if entry.method == "POST", !isAboutOne { try #require(known != nil, "what is to be sent with \(call)?") }
      let answer = try service.call(entry.method, path(entry.path), body: known?.body ?? "")
      #expect(answer.status == known?.status ?? (isAboutOne ? 404 : 200), "\(call): \(answer.text)")
      if answer.status == 200 { expectNothing(in: answer, of: call) }
    }
    #expect(try service.call("POST", "/process-event", body: Self.event)["triggered_alerts"] == [])
    #expect(try rows(of: "other") == before)
  }

  /// No list has an entry that tells an id, or that is another tenant's.
  private func expectNothing(in answer: WebAnswer, of call: String) {
    for id in ids.values { #expect(!answer.text.contains("\"\(id)\""), "\(call): \(answer.text)") }
    #expect(!answer.text.contains(#""other""#), "\(call): \(answer.text)")
  }

  @Test("Neither does a filter of a list find them")
  func filters() throws {
    let alert = try path("/alerts/{alert_id}").dropFirst(8)
    for list in [
      "/deliveries?alert_id=\(alert)", "/deliveries?provider_id=their-providers", "/deliveries?state=pending",
      "/alerts?policy_id=their-policies", "/audit-log?id=their-policies", "/audit-log?kind=policy",
    ] {
      let answer = try service.call("GET", list)
      #expect(try answer.status == 200 && answer["total"] == 0, "\(list): \(answer.text)")
      #expect(try service.call("GET", list, key: "elsewhere")["total"] != 0, "\(list)")
    }
  }

  @Test("An id that is taken there is free here, and each has its own record of it", arguments: Noun.all)
  func sameID(noun: Noun) throws {
    let before = try rows(of: "other")
    let id = "their-\(noun.plural)"
    let document = noun.document(id: id)
    #expect(try service.call("POST", "/\(noun.plural)", body: document).status == 201)
    #expect(try service.call("PUT", "/\(noun.plural)/\(id)", body: noun.change).status == 200)
    #expect(try service.call("DELETE", "/\(noun.plural)/\(id)").status == 204)
    #expect(try rows(of: "other") == before)
  }
}
