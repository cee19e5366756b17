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
    Memory.keepPrivate()
    do {
      let end = try Environment.jobSeconds("ALERTING_REPLAY_SECONDS").map { Clock.monotonic + $0 } ?? .infinity
      let store = try Store.configured(as: .replay)
      guard let folder = try SpoolFolder.configured() else { return wait(store, until: end, termination) }
      guard let spool = try spool(folder, until: end, termination) else { return }
      Replayer(spool, store).run(until: end, termination)
    } catch {
      Log.error("what was spooled is not replayed", ["error": "\(error)"])
      exit(1)
    }
  }

  /// Where there is no folder nothing was spooled: there is nothing to do, and the job is not to be missed.
  private static func wait(_ store: Store, until end: Double, _ termination: Termination) {
    repeat {
      do {
        try store.noteRun(of: "replay", on: Machine.name)
      } catch {
        Log.warning("that the job runs cannot be written down", ["reason": "\(error)"])
      }
    } while !termination.isRequested(within: max(0, min(30, end - Clock.monotonic))) && Clock.monotonic < end
  }

  /// Takes hold of the spool; nil if the time ends while another one has it.
  private static func spool(_ folder: SpoolFolder, until end: Double, _ termination: Termination) throws -> Spool? {
    while true {
      if let spool = try Spool(folder) { return spool }
      if Clock.monotonic >= end || termination.isRequested(within: 0.2) { return nil }
    }
  }
}
