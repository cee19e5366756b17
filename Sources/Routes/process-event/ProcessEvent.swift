import API
import FastCGI
import Host
import JSON
import Matching
import Store

/// Takes events in, matches them, and has what they matched admitted: two round trips to PostgreSQL at most, one where nothing
/// matched, and one more after the tenant's policies changed. A client that prefers to wait for the deliveries has it look for
/// them as well, for as long as no other request wants the worker.
@main
struct ProcessEvent {
  static func main() {
    let policies = PolicyCache()
    Route(
      "process-event", bodyLimit: EventBody.limit,
      [
        .post("", .ingest) { call in try process(call, policies) }
      ]
    ).run()
  }

  static func process(_ call: Call, _ policies: PolicyCache) throws -> Response {
    var body = try EventBody(call)
    var intake = Intake()
    defer { intake.release() }
    try body.read(into: &intake, by: policies.set(for: call.caller, in: call.store))
    let admissions = try intake.matched == 0 ? [] : call.store.admit(tenant: call.tenant, intake.matches)
    var answer = Answer(intake: intake, admissions: admissions)
    answer.waitForDeliveries(call)
    return answer.response
  }
}
