import API
import Delivery
import FastCGI
import JSON
import Store

@main
struct Providers {
  static let noun = Noun("provider", plural: "providers")

  static func main() {
    Route(
      noun.plural,
      [
        .get("", .view, list),
        .post("", .administer, create),
        .get("{provider_id}", .view, show),
        .put("{provider_id}", .administer, change),
        .delete("{provider_id}", .administer, delete),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    return noun.listed(try call.store.providers(tenant: call.tenant, page: page), page: page)
  }

  static func create(_ call: Call) throws -> Response {
    let provider = try Provider(json: call.document())
    let id = provider.id ?? noun.newID()
    let saving = try call.store.createProvider(tenant: call.tenant, id: id, provider, by: call.caller.keyID)
    return try noun.created(saving, id: id)
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.shown(call.store.provider(tenant: call.tenant, id: id), id: id)
  }

  static func change(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let change = try noun.change(call, id: id)
    let saving = try call.store.changeProvider(tenant: call.tenant, id: id) { stored in
      try Provider(json: .object(Provider.document(stored, changedBy: change)))
    }
    return try noun.changed(saving, id: id)
  }

  static func delete(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try noun.deleted(call.store.deleteProvider(tenant: call.tenant, id: id), id: id)
  }
}
