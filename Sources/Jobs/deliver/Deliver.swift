import Curl
import Delivery
import Glibc
import Host
import Store

/// Carries the outbox out: what is due goes to its receivers, and what comes of it is written down.
///
/// Cron starts it each minute and it runs for almost as long; a supervisor that starts it again may let it run on. Any number
/// of them may run at once, on any number of hosts.
@main
struct Deliver {
  static func main() {
    let termination = Termination()
    Memory.keepPrivate()
    do {
      let settings = try Settings()
      let queue = try TransferQueue<Deliverer.Flight>(
        addresses: settings.addresses, authorities: settings.authorities)
      let outbox = try Store.configured(as: .deliver)
      outbox.masterKeys = try MasterKeys.configured()
      outbox.actor = Actor(.job, id: "deliver")
      let deliverer = Deliverer(
        outbox: outbox, queue: queue, pagerDutyURL: settings.pagerDutyURL, retention: settings.retention)
      try deliverer.run(for: settings.seconds, until: termination)
    } catch {
      Log.error("deliveries are not carried out", ["error": "\(error)"])
      exit(1)
    }
  }
}

/// What the environment says beside where the database is.
struct Settings {
  /// How long to run before the next start takes over; nil until asked to end.
  let seconds: Double?
  let addresses: AddressPolicy
  let authorities: String?
  let pagerDutyURL: String?
  let retention: Retention

  init() throws {
    seconds = try Environment.jobSeconds("ALERTING_DELIVER_SECONDS")
    do {
      addresses = try AddressPolicy(allowing: Environment["ALERTING_OUTBOUND_ALLOW"] ?? "")
    } catch {
      throw InvalidSetting("ALERTING_OUTBOUND_ALLOW", "\(error)")
    }
    authorities = Environment["ALERTING_CA_FILE"]
    retention = try Retention.configured()
    pagerDutyURL = Environment["ALERTING_PAGERDUTY_URL"].flatMap { $0.isEmpty ? nil : $0 }
  }
}
