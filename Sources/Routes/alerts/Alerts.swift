import API
import FastCGI
import JSON
import Matching
import Store

@main
struct Alerts {
  static func main() {
    Route(
      "alerts",
      [
        .get("", list),
        .get("{alert_id}", show),
        .put("{alert_id}/acknowledge", acknowledge),
        .put("{alert_id}/resolve", resolve),
      ]
    ).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    var filter = AlertFilter()
    filter.policyID = call.query["policy_id"]
    filter.severity = try call.query.choice("severity")
    filter.status = try call.query.choice("status")
    filter.start = try call.query.timestamp("start_time")
    filter.end = try call.query.timestamp("end_time")
    let listing = try call.store.alerts(tenant: call.tenant, filter, page: page)
    return .list("alerts", listing, page: page) { alert, writer in alert.write(to: &writer) }
  }

  static func show(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try shown(call.store.alert(tenant: call.tenant, id: id), id: id)
  }

  static func acknowledge(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    let alert = try call.store.acknowledgeAlert(tenant: call.tenant, id: id, by: call.caller.keyID)
    guard alert?.status != .resolved else {
      throw Problem.conflict("The alert is resolved already and cannot be acknowledged any more.")
    }
    return try shown(alert, id: id)
  }

  static func resolve(_ call: Call) throws -> Response {
    let id = call.parameters[0]
    return try shown(call.store.resolveAlert(tenant: call.tenant, id: id, by: call.caller.keyID), id: id)
  }

  private static func shown(_ alert: Alert?, id: String) throws -> Response {
    guard let alert else { throw Problem.notFound("alert", id: id) }
    return .json { alert.write(to: &$0) }
  }
}
