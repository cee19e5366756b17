import Glibc
import Hooks
import Host
import Spool
import StorageWatch

/// Sees whether the storage can be used, and tells people by ways that do not need it.
///
/// Cron starts it each minute and it runs for almost as long; a supervisor that starts it again may let it run on. On each host
/// one is at work: another waits and takes over when that one ends, however it ends.
@main
struct CheckStorage {
  static func main() {
    Memory.keepPrivate()
    if CommandLine.arguments.dropFirst() == ["probe"] { return Probe.run() }
    let termination = Termination()
    do {
      let settings = try Settings()
      let file = try SettingsFile().read()
      let end = settings.seconds.map { Clock.monotonic + $0 } ?? .infinity
      let lock = try FileLock(settings.stateDirectory + "/check-storage.lock")
      guard waitForTurn(lock, until: end, termination) else { return }
      let checker = try Checker(
        settings: file, state: StateFile(settings.stateDirectory + "/check-storage.json"),
        stateDirectory: settings.stateDirectory, spool: settings.spool)
      try checker.run(until: end, termination)
      withExtendedLifetime(lock) {}
    } catch {
      Log.error("the storage is not checked", ["error": "\(error)"])
      exit(1)
    }
  }

  /// Waits until no other on this host is at work; false if the time ends before.
  private static func waitForTurn(_ lock: FileLock, until end: Double, _ termination: Termination) -> Bool {
    if lock.take() { return true }
    Log.info("another one checks the storage on this host; this one waits for it to end")
    while Clock.monotonic < end, !termination.isRequested(within: 0.2) {
      if lock.take() { return true }
    }
    return false
  }
}

/// What the environment says beside where the database is.
struct Settings {
  /// How long to run before the next start takes over; nil until asked to end.
  let seconds: Double?
  /// Where the state is kept, outside the database.
  let stateDirectory: String
  /// Where events are kept while the database is away; nil for nowhere.
  let spool: SpoolFolder?

  init() throws(InvalidSetting) {
    seconds = try Environment.jobSeconds("ALERTING_CHECK_STORAGE_SECONDS")
    stateDirectory = Environment.stateDirectory
    spool = try SpoolFolder.configured()
  }
}
