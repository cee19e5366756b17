import Delivery
import Postgres
import Store

extension Store {
  /// Takes what is due of all providers, no more than so many deliveries of each.
  package func lease(limit: Int = 100, seconds: Int = 60) throws(PostgresError) -> [LeasedDelivery] {
    let due = try dueProviders(after: nil, limit: 1000).filter(\.isDue)
    return try leaseDeliveries(of: due.map { ProviderRoom(provider: $0.key, room: limit) }, seconds: seconds)
  }
}
