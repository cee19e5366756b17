import Host
import Postgres
import Store

/// Rings when deliveries have been written. Without it they are found all the same, a little later.
struct Bell {
  private static let secondsBetweenTries = 10.0

  private var connection: Connection?
  private var nextTry = 0.0

  /// What becomes readable when it may have rung.
  var descriptors: [CInt] { connection.map { [$0.descriptor] } ?? [] }

  /// Sees to it that there is one, as far as the database lets it.
  mutating func hang(in outbox: Store) {
    guard connection == nil, Clock.monotonic >= nextTry else { return }
    nextTry = Clock.monotonic + Self.secondsBetweenTries
    do {
      connection = try outbox.deliveryBell()
    } catch {
      Log.info("new deliveries are only looked for", ["error": "\(error)"])
    }
  }

  /// Whether it has rung since it was last asked.
  mutating func hasRung() -> Bool {
    do {
      return try connection?.waitForNotification(seconds: 0) ?? false
    } catch {
      Log.info("new deliveries are only looked for", ["error": "\(error)"])
      connection = nil
      return true
    }
  }
}
