import Host
import StorageWatch

/// What is worth a look, told in the log when it begins, when it ends and each hour in between.
struct WarningLog {
  private static let secondsBetweenReminders = 3600.0

  /// When each was last told, by the monotonic clock.
  private var told: [String: Double] = [:]

  /// Takes note of all that there is now.
  mutating func note(_ warnings: [StorageWarning]) {
    for warning in warnings {
      if let last = told[warning.subject], Clock.monotonic - last < Self.secondsBetweenReminders { continue }
      told[warning.subject] = Clock.monotonic
      Log.warning("\(warning.subject) \(warning.detail)")
    }
    let subjects = Set(warnings.map(\.subject))
    for subject in told.keys.sorted() where !subjects.contains(subject) {
      told[subject] = nil
      Log.info("\(subject): all is well again")
    }
  }
}
