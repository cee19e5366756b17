import Glibc
import Host
import Spool
import Store

/// Has the events that came in while the database was away their effects, once it is back.
///
/// Cron starts it each minute and it runs for almost as long; a supervisor that starts it again may let it run on. On each host
/// one is at work: another waits and takes over when that one ends, however it ends.
@main
struct Replay {
  static func main() {
    let termination = Termination()
    do {
      let end = try Environment.jobSeconds("ALERTING_REPLAY_SECONDS").map { Clock.monotonic + $0 } ?? .infinity
      guard let folder = try SpoolFolder.configured() else { throw MissingSetting(name: "ALERTING_STATE_DIRECTORY") }
      let store = try Store.configured()
      guard let spool = try spool(folder, until: end, termination) else { return }
      Replayer(spool, store).run(until: end, termination)
    } catch {
      Log.error("what was spooled is not replayed", ["error": "\(error)"])
      exit(1)
    }
  }

  /// Takes hold of the spool; nil if the time ends while another one has it.
  private static func spool(_ folder: SpoolFolder, until end: Double, _ termination: Termination) throws -> Spool? {
    while true {
      if let spool = try Spool(folder) { return spool }
      if Clock.monotonic >= end || termination.isRequested(within: 0.2) { return nil }
    }
  }
}
