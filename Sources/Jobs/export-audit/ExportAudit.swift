import Glibc
import Host
import Store

/// Sends the audit log to a syslog server, entry by entry as it is written, and the heads of its chains to a webhook.
///
/// Cron starts it each minute and it runs for almost as long; a supervisor that starts it again may let it run on. Of any number, on
/// any number of hosts, one is at work: another takes over when that one ends, however it ends.
@main
struct ExportAudit {
  /// What it is called where jobs are listed.
  static let name = "export-audit"

  static func main() {
    let termination = Termination()
    Memory.keepPrivate()
    do {
      let end = try Environment.jobSeconds("ALERTING_EXPORT_AUDIT_SECONDS").map { Clock.monotonic + $0 } ?? .infinity
      let store = try Store.configured(as: .exportAudit)
      let outlets = try outlets(of: store)
      if outlets.isEmpty { return rest(until: end, termination) }
      Exporter(to: outlets, of: store).run(until: end, termination)
    } catch {
      Log.error("the audit log is not exported", ["error": "\(error)"])
      exit(1)
    }
  }

  /// The places that the environment names.
  private static func outlets(of store: Store) throws -> [any AuditOutlet] {
    let syslog = try SyslogDestination.configured().map { SyslogOutlet(to: $0, of: store) }
    let heads = try HeadsDestination.configured().map { try HeadsOutlet(to: $0, of: store) }
    let outlets: [(any AuditOutlet)?] = [syslog, heads]
    return outlets.compactMap { $0 }
  }

  /// Where there is no destination there is nothing to do, and the job is not to be missed.
  private static func rest(until end: Double, _ termination: Termination) {
    var isForgotten = false
    repeat {
      do {
        if !isForgotten { try Store.configured(as: .exportAudit).forgetRuns(of: name, on: Machine.name) }
        isForgotten = true
      } catch {
        Log.warning("that the job has nothing to do cannot be written down", ["reason": "\(error)"])
      }
    } while !termination.isRequested(within: max(0, min(60, end - Clock.monotonic))) && Clock.monotonic < end
  }
}
