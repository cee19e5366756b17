import API
import FastCGI
import JSON
import Matching
import Store

@main
struct Rules {
  static let noun = Noun("rule", plural: "rules")

  static func main() {
    Route(
      noun.plural,
      [
        .get("", list),
        .post("") { try create(try $0.members(), $0) },
        .post("simple") { try create(try members(of: $0, type: "simple"), $0) },
        .post("compound") { try create(try members(of: $0, type: "compound"), $0) },
        .get("{rule_id}", show),
        .put("{rule_id}", change),
        .delete("{rule_id}", delete),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    let isEnabled = try call.query.bool("enabled")
    let listing = try call.store.rules(tenant: call.tenant, enabled: isEnabled, field: call.query["field"], page: page)
    return noun.listed(listing, page: page)
  }

  /// The members of a rule that is created by the path of its type, where the type need not be said again.
  static func members(of call: Call, type: String) throws -> JSONObject {
    var members = try call.members()
    guard [nil, .null, .string(type)].contains(members["rule_type"]) else {
      throw JSONFaults(pointer: "/rule_type", "must be \"\(type)\" at this path, or left out")
    }
    members["rule_type"] = .string(type)
    return members
  }

  static func create(_ members: JSONObject, _ call: Call) throws -> Response {
    let rule = try Rule(json: .object(members))
    let id = rule.id ?? noun.newID()
    let saving = try call.store.createRule(tenant: call.tenant, id: id, rule, by: call.caller.keyID)
    return try noun.created(saving, id: id)
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.shown(call.store.rule(tenant: call.tenant, id: id), id: id)
  }

  static func change(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let change = try noun.change(call, id: id)
    let saving = try call.store.changeRule(tenant: call.tenant, id: id) { stored in
      try Rule(json: .object(Rule.document(stored, changedBy: change)))
    }
    return try noun.changed(saving, id: id)
  }

  static func delete(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.deleted(call.store.deleteRule(tenant: call.tenant, id: id), id: id)
  }
}
