import API
import FastCGI
import JSON
import Store

@main
struct Deliveries {
  static func main() {
    Route(
      "deliveries",
      [
        .get("", list),
        .get("{delivery_id}", show),
        .post("retry", retryMany),
        .post("{delivery_id}/retry", retryOne),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    var filter = DeliveryFilter()
    filter.alertID = call.query["alert_id"]
    filter.providerID = call.query["provider_id"]
    filter.states = try call.query.choice("state").map { [$0] }
    filter.start = try call.query.timestamp("from")
    filter.end = try call.query.timestamp("to")
    let listing = try call.store.deliveries(tenant: call.tenant, filter, page: page)
    return .list("deliveries", listing, page: page) { entry, writer in entry.write(to: &writer) }
  }

  static func show(_ call: Call) throws -> Response { try shown(call, id: call.parameters[0]) }

  static func retryOne(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    switch try call.store.retryDelivery(tenant: call.tenant, id: id, again: RetryBody.again(of: call)) {
    case .due:
      return try shown(call, id: id)
    case .sentAlready:
      throw Problem.conflict("The delivery was sent; to have it sent once more, say {\"again\": true}.")
    case .providerOff(let providerID):
      throw Problem.conflict("The provider \"\(providerID)\" is switched off; switch it on and try again.")
    case .providerGone(let providerID):
      throw Problem.conflict("The provider \"\(providerID)\" was deleted, so there is nobody to send this to.")
    case .absent:
      throw Problem.notFound("delivery", id: id)
    }
  }

  static func retryMany(_ call: Call) throws -> Response {
    let replay = try RetryBody.replay(of: call.document())
    guard let result = try call.store.retryDeliveries(tenant: call.tenant, replay) else {
      throw JSONFaults(pointer: "/after", "is the id of no delivery")
    }
    return .json { writer in
      writer.object { members in
        members.add("retried", result.retried)
        members.add("left", result.left)
        members.add("more", result.next != nil)
        members.add("after", result.next)
      }
    }
  }

  private static func shown(_ call: Call, id: String) throws -> Response {
    guard let entry = try call.store.delivery(tenant: call.tenant, id: id) else {
      throw Problem.notFound("delivery", id: id)
    }
    return .json { entry.write(to: &$0) }
  }
}
