import API
import FastCGI
import JSON
import Matching
import Store

@main
struct Suppressions {
  static let noun = Noun("suppression", plural: "suppressions")

  static func main() {
    Route(
      noun.plural,
      [
        .get("", list),
        .post("", create),
        .get("{suppression_id}", show),
        .put("{suppression_id}", change),
        .delete("{suppression_id}", delete),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    return noun.listed(try call.store.suppressions(tenant: call.tenant, page: page), page: page)
  }

  static func create(_ call: Call) throws -> Response {
    let suppression = try Suppression(json: call.document())
    let id = suppression.id ?? noun.newID()
    let saving = try call.store.createSuppression(tenant: call.tenant, id: id, suppression, by: call.caller.keyID)
    return try noun.created(saving, id: id)
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.shown(call.store.suppression(tenant: call.tenant, id: id), id: id)
  }

  static func change(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let change = try noun.change(call, id: id)
    let saving = try call.store.changeSuppression(tenant: call.tenant, id: id) { stored in
      try Suppression(json: .object(stored.overlaid(with: change)))
    }
    return try noun.changed(saving, id: id)
  }

  static func delete(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let isDeleted = try call.store.deleteSuppression(tenant: call.tenant, id: id)
    return try noun.deleted(isDeleted ? .deleted : .absent, id: id)
  }
}
