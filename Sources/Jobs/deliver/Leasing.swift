import Delivery
import Host
import Postgres
import Store

/// Leases and settles a batch at a time. Where the database refuses a batch for what is in it, the one delivery that it
/// refuses is found and set aside, so that it costs no other its way.
struct Leasing {
  /// A lease outlives the longest transfer and a while of waiting for the database to settle it.
  static let seconds = Transfer.longestSeconds + 60

  let outbox: Store

  /// Takes what the rooms are for. What has been taken stands in `leased` even if the database goes away in between.
  func lease(_ rooms: [ProviderRoom], into leased: inout [LeasedDelivery]) throws(PostgresError) {
    do {
      leased += try outbox.leaseDeliveries(of: rooms, seconds: Self.seconds)
    } catch  where error.isAboutData {
      guard rooms.count > 1 else { return try leaseSingly(rooms[0], into: &leased) }
      let half = rooms.count / 2
      try lease(Array(rooms[..<half]), into: &leased)
      try lease(Array(rooms[half...]), into: &leased)
    }
  }

  private func leaseSingly(_ room: ProviderRoom, into leased: inout [LeasedDelivery]) throws(PostgresError) {
    for delivery in try outbox.dueDeliveries(of: room.provider, limit: room.room) {
      do {
        if let delivery = try outbox.leaseDelivery(delivery, seconds: Self.seconds) { leased.append(delivery) }
      } catch  where error.isAboutData {
        try setAside(delivery, error)
      }
    }
  }

  /// A delivery that the database does not even let fail is left as it is, to be found again with the next lease.
  private func setAside(_ delivery: DueDelivery, _ refusal: PostgresError) throws(PostgresError) {
    Self.tell(delivery.provider.tenant, delivery.id, refusal)
    do {
      try outbox.setAside(delivery, reason: Self.reason(refusal, toDo: "hand out"))
    } catch  where error.isAboutData {
      Self.tell(delivery.provider.tenant, delivery.id, error)
    }
  }

  /// Writes down what became of attempts; tells how many were still under their leases.
  func settle(_ settlements: [Settlement]) throws(PostgresError) -> Int {
    do {
      return try outbox.settleDeliveries(settlements)
    } catch  where error.isAboutData {
      guard settlements.count > 1 else {
        try outbox.settleBarely(settlements[0], reason: Self.reason(error, toDo: "write down"))
        Self.tell(settlements[0].tenant, settlements[0].deliveryID, error)
        return 1
      }
      let half = settlements.count / 2
      return try settle(Array(settlements[..<half])) + settle(Array(settlements[half...]))
    }
  }

  /// What a client may know of it: a database's sentences may quote values.
  private static func reason(_ error: PostgresError, toDo task: String) -> String {
    let state = error.refusal?.sqlState ?? ""
    let cause =
      switch state.prefix(2) {
      case "22": "it holds a value that is not valid there"
      case "23": "it breaks a constraint"
      case "54": "it is too large"
      default: "one of its own functions refuses"
      }
    return
      "the database cannot \(task) what belongs to this delivery: \(cause) (SQLSTATE \(state)); the log of deliver says more"
  }

  private static func tell(_ tenant: String, _ delivery: String, _ error: PostgresError) {
    Log.error("a delivery was set aside", ["tenant": tenant, "delivery": delivery, "error": "\(error)"])
  }
}
