import Foundation
import Store

/// The statement that admits an event with one match, for pgbench: with values in the place of its parameters.
package struct AdmissionScript {
  /// The settings of a session in which it sees its tenant.
  package let scope: [String]
  /// The statement alone.
  package let script: String

  /// The same behind what the service begins its transaction with, in one round trip.
  package var scriptInTransaction: String {
    let settings = scope.map { setting in
      let parts = setting.split(separator: "=")
      return "set_config('\(parts[0])', '\(parts[1])', true)"
    }
    return "\\startpipeline\nSELECT \(settings.joined(separator: ", "));\n\(script)\\endpipeline\n"
  }

  /// The statement for the tenant of ``Instance/makeRaisingTenant(_:)``.
  package init(of instance: Instance, tenant: String, key: String) throws {
    let epoch = try Store(url: instance.database).policyEpoch(tenant: tenant) ?? 0
    scope = ["role=\(DatabaseRole.processEvent.rawValue)", "tocsin.tenant=\(tenant)"]
    let values = [
      "'\(tenant)'", "ARRAY['all']", "ARRAY['[]']", "ARRAY[NULL]::text[]", "ARRAY['alert-' || gen_random_uuid()]",
      "ARRAY['alice failed to log in']", "ARRAY['alice failed to log in']", "ARRAY['Failed log-in']",
      "ARRAY[1]::bigint[]", "ARRAY['']", "ARRAY['\(Event.quiet)']::json[]", "ARRAY[1]::bigint[]", "ARRAY[false]",
      "NULL::bigint",
      "ARRAY['00000000-0000-7000-8000-00000000000' || :client_id]",
      "ARRAY[(extract(epoch FROM clock_timestamp()) * 1000000)::bigint]", "sha256('\(key)')",
      "\(epoch)",
    ]
    let lines = Store.admission.sql.split(separator: "\n").filter { !$0.contains("--") }
    script =
      values.enumerated().reversed().reduce(lines.joined(separator: " ")) { sql, value in
        sql.replacingOccurrences(of: "$\(value.offset + 1)", with: value.element)
      } + ";\n"
  }
}
