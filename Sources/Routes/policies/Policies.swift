import API
import FastCGI
import JSON
import Matching
import Store

@main
struct Policies {
  static let noun = Noun("policy", plural: "policies")

  static func main() {
    Route(
      noun.plural,
      [
        .get("", list),
        .post("", create),
        .get("{policy_id}", show),
        .put("{policy_id}", change),
        .delete("{policy_id}", delete),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    return noun.listed(try call.store.policies(tenant: call.tenant, page: page), page: page)
  }

  static func create(_ call: Call) throws -> Response {
    let policy = try Policy(json: call.document())
    let id = policy.id ?? noun.newID()
    let saving = try call.store.createPolicy(tenant: call.tenant, id: id, policy, by: call.caller.keyID)
    return try noun.created(saving, id: id)
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.shown(call.store.policy(tenant: call.tenant, id: id), id: id)
  }

  static func change(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let change = try noun.change(call, id: id)
    let saving = try call.store.changePolicy(tenant: call.tenant, id: id) { stored in
      try Policy(json: .object(Policy.document(stored, changedBy: change)))
    }
    return try noun.changed(saving, id: id)
  }

  static func delete(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let isDeleted = try call.store.deletePolicy(tenant: call.tenant, id: id)
    return try noun.deleted(isDeleted ? .deleted : .absent, id: id)
  }
}
