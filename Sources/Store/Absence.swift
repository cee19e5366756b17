/// A time in which the database is away, and how much of the calls in it goes into looking for it.
///
/// A call costs next to nothing, but for one every so often that looks for a moment. After a time in which nobody called, what is
/// known is too old to refuse a call by: it waits as the first one did.
struct Absence {
  static let secondsBetweenLooks = 0.25
  /// Long enough to connect to a server nearby that works.
  static let secondsOfGlance = 0.01
  static let secondsToForget = 5.0

  /// Why it is away, as far as was seen last.
  var reason: String
  private var lastLook: Double

  /// Begins with a look that was in vain and ended at a moment, by the monotonic clock.
  init(reason: String, at now: Double) {
    self.reason = reason
    lastLook = now
  }

  /// For how long a call may look for the database now; nil where it is to fail at once.
  func patience(at now: Double, full: Double) -> Double? {
    switch now - lastLook {
    case ..<Self.secondsBetweenLooks: nil
    case ..<Self.secondsToForget: Self.secondsOfGlance
    default: full
    }
  }

  /// Takes note of another look in vain, and of what it has shown.
  mutating func extend(reason: String?, at now: Double) {
    if let reason { self.reason = reason }
    lastLook = now
  }
}
