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
        .post("{provider_id}/test", .operate, test),
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

  /// Sends a test alert: 202, because it is on its way and no more, and where its delivery can be followed.
  static func test(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    guard let alert = try call.store.testProvider(tenant: call.tenant, id: id, by: call.caller.keyID) else {
      throw Problem.notFound(noun.singular, id: id)
    }
    return .json(.accepted, headers: [("Location", "/api/v1/alerts/alerts/\(alert.id)")]) { alert.write(to: &$0) }
  }
}
