import API
import FastCGI
import JSON
import Store

@main
struct AuditLog {
  static func main() {
    Route("audit-log", [.get("", list)]).run()
  }

  static func list(_ call: Call) throws -> Response {
    let page = try call.query.page()
    var filter = AuditFilter()
    filter.actor = call.query["actor"]
    filter.action = call.query["action"]
    filter.kind = call.query["kind"]
    filter.id = call.query["id"]
    filter.start = try call.query.timestamp("from")
    filter.end = try call.query.timestamp("to")
    filter.before = try call.query.integer("before", in: 1...Int.max)
    let listing = try call.store.auditLog(tenant: call.tenant, filter, page: page)
    return .list("entries", listing, page: page) { entry, writer in entry.write(to: &writer) }
  }
}
