import FastCGI
import Host
import Postgres

/// The yardstick of the service benchmark: a worker that reads the body and drops it, makes one prepared lookup by primary key, and answers
/// a constant.
@main
struct Lookup {
  static func main() throws {
    let connection = try Connection(url: Environment["ALERTING_DATABASE_URL"] ?? "")
    let statement = Statement("lookup", "SELECT policy_epoch FROM tenants WHERE tenant_id = $1")
    try Server.run(bodyLimit: 16 << 20) { request in
      do {
        _ = try request.body.rest()
        let rows = try connection.run(statement, .text("default"))
        return Response(rows.isEmpty ? .notFound : .ok, body: Array("{}".utf8))
      } catch {
        Log.error("the lookup failed: \(error)")
        return Response(.internalServerError)
      }
    }
  }
}
