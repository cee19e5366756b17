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
        .get("", list),
        .post("", create),
        .get("{provider_id}", show),
        .put("{provider_id}", change),
        .delete("{provider_id}", delete),
        .post("{provider_id}/test", test),
      ]
    ).run { $0.masterKeys = try MasterKeys.configured() }
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

  /// The most seconds that an answer to a test is waited for; some are left for the way back, so that 15 are kept.
  private static let testSeconds = 14.5

  /// Has a test sent and answers what the receiver did: 200 once that is known, whatever it is. 202 where it takes too long, or
  /// another request wants the worker, with the place where the delivery can be followed.
  static func test(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    guard let deliveryID = try call.store.testProvider(tenant: call.tenant, id: id) else {
      throw Problem.notFound(noun.singular, id: id)
    }
    let result = try call.wait(seconds: testSeconds) {
      try call.store.testResult(tenant: call.tenant, deliveryID: deliveryID)
    }
    let place = [(name: "Location", value: "/api/v1/alerts/deliveries/\(deliveryID)")]
    return .json(result == nil ? .accepted : .ok, headers: place) { writer in
      writer.object { members in
        members.add("provider_id", id)
        members.add("delivery_id", deliveryID)
        members.add("state", (result?.state ?? .pending).rawValue)
        members.add("status", result?.status)
        members.add("answer", result?.answer)
        members.add("reason", result?.reason)
        members.add("latency_ms", result?.milliseconds)
      }
    }
  }
}
