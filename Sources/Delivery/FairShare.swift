/// Shares out places for transfers: in turn among the tenants for which something waits, and each tenant's in turn among its
/// providers, so that neither a tenant with many providers nor a provider with many deliveries crowds out others.
package struct FairShare {
  private var turn = 0

  /// A share of which nothing has been given yet.
  package init() {}

  /// The places that each provider gets: none is left while a provider has room.
  ///
  /// - Parameters:
  ///   - waiting: The providers for which something waits, with the most that each may get.
  ///   - free: The places that there are.
  /// - Returns: Those that get any, in the order of `waiting`.
  package mutating func rooms(for waiting: [ProviderRoom], free: Int) -> [ProviderRoom] {
    var tenants = Self.byTenant(waiting)
    guard !tenants.isEmpty else { return [] }
    // Who comes first changes with each call: when places become free one by one, everybody gets some of them.
    turn = (turn + 1) % 1_000_000
    let first = turn % tenants.count
    tenants = Array(tenants[first...] + tenants[..<first])
    var given = [Int](repeating: 0, count: waiting.count)
    var left = free
    var isAnybodyLeft = true
    while left > 0 && isAnybodyLeft {
      isAnybodyLeft = false
      for index in tenants.indices where left > 0 {
        guard let provider = tenants[index].next(turn: turn, hasRoom: { given[$0] < waiting[$0].room }) else {
          continue
        }
        given[provider] += 1
        left -= 1
        isAnybodyLeft = true
      }
    }
    return zip(waiting, given).compactMap { waiting, room in
      room > 0 ? ProviderRoom(provider: waiting.provider, room: room) : nil
    }
  }

  /// One tenant's providers, by their positions.
  private struct Queue {
    var providers: [Int]
    var position: Int?

    /// The next provider that has room; nil if none has.
    mutating func next(turn: Int, hasRoom: (Int) -> Bool) -> Int? {
      let start = position ?? turn % providers.count
      for step in providers.indices {
        let candidate = (start + step) % providers.count
        if hasRoom(providers[candidate]) {
          position = (candidate + 1) % providers.count
          return providers[candidate]
        }
      }
      return nil
    }
  }

  private static func byTenant(_ waiting: [ProviderRoom]) -> [Queue] {
    var places: [String: Int] = [:]
    var queues: [Queue] = []
    for (index, room) in waiting.enumerated() {
      if let place = places[room.provider.tenant] {
        queues[place].providers.append(index)
      } else {
        places[room.provider.tenant] = queues.count
        queues.append(Queue(providers: [index]))
      }
    }
    return queues
  }
}
