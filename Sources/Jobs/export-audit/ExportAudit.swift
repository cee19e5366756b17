import Delivery
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

/// The syslog server that the log is sent to.
struct SyslogDestination {
  let address: StreamAddress
  /// A file of certificates to trust instead of the system's; nil for the system's.
  let authorities: String?
  /// Whose name for the structured data it is, see ``SyslogData``.
  let enterprise: Int

  /// By the settings `ALERTING_AUDIT_SYSLOG_…`; nil where there is none.
  static func configured() throws(InvalidSetting) -> SyslogDestination? {
    let setting = { (name: String) in Environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    guard let url = setting("ALERTING_AUDIT_SYSLOG_URL") else { return nil }
    guard let address = StreamAddress(url) else {
      throw InvalidSetting("ALERTING_AUDIT_SYSLOG_URL", "\"\(url)\" is not tls://HOST:PORT or tcp://HOST:PORT")
    }
    return SyslogDestination(
      address: address, authorities: setting("ALERTING_AUDIT_SYSLOG_CA_FILE") ?? setting("ALERTING_CA_FILE"),
      // The number for documentation (RFC 5612): there is none of this project's own.
      enterprise: try Environment.number(
        "ALERTING_AUDIT_SYSLOG_ENTERPRISE", of: "IANA's registry", in: 1...4_294_967_295, usual: 32473))
  }
}
