/// What a program is in the database: the role that may do there what the program needs, and nothing else. The migrations make them.
package enum DatabaseRole: String, CaseIterable, Sendable {
  case alerts = "tocsin_alerts"
  case auditLog = "tocsin_audit_log"
  case deliveries = "tocsin_deliveries"
  case health = "tocsin_health"
  case keys = "tocsin_keys"
  case policies = "tocsin_policies"
  case processEvent = "tocsin_process_event"
  case providers = "tocsin_providers"
  case rules = "tocsin_rules"
  case suppressions = "tocsin_suppressions"
  case checkStorage = "tocsin_check_storage"
  case deliver = "tocsin_deliver"
  case exportAudit = "tocsin_export_audit"
  case replay = "tocsin_replay"
  /// The command `tocsin`.
  case `operator` = "tocsin_operator"

  /// The role of a route or a job, by the name of its program; nil if it has none.
  package init?(program: some StringProtocol) {
    self.init(rawValue: "tocsin_" + String(program.map { $0 == "-" ? "_" : $0 }))
  }
}
