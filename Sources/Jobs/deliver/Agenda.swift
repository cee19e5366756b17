import Delivery

/// What is known to be due, and how much of it may begin.
///
/// Receivers that have not answered yet, or not the last time, have three quarters of the places among them: however many of
/// them hang, those that work go on.
struct Agenda {
  /// The most deliveries under way at once.
  let places: Int
  private var due: [ProviderKey] = []
  private var isDue: Set<ProviderKey> = []
  private var concurrency: [ProviderKey: Concurrency] = [:]
  private var share = FairShare()

  /// With nothing that is due.
  init(places: Int) { self.places = places }

  /// Takes note of providers for which something is due.
  mutating func add(_ providers: [ProviderKey]) {
    due += providers.filter { isDue.insert($0).inserted }
  }

  /// How many deliveries of each provider to take for a number of free places; empty if there is nothing to take or no place.
  mutating func rooms(free: Int) -> [ProviderRoom] {
    if due.isEmpty || free <= 0 { return [] }
    let proven = waiting(isProven: true, free: free)
    let unproven = waiting(isProven: false, free: free)
    let held = concurrency.values.reduce(0) { $0 + ($1.isProven ? 0 : $1.underWay) }
    let left = max(0, min(places * 3 / 4 - held, proven.isEmpty ? free : (free + 1) / 2))
    let first = share.rooms(for: unproven, free: left)
    return first + share.rooms(for: proven, free: first.reduce(free) { $0 - $1.room })
  }

  private func waiting(isProven: Bool, free: Int) -> [ProviderRoom] {
    due.compactMap { provider in
      let concurrency = concurrency[provider] ?? Concurrency()
      let room = concurrency.isProven == isProven ? concurrency.room(free: free) : 0
      return room > 0 ? ProviderRoom(provider: provider, room: room) : nil
    }
  }

  /// Takes note of what was there for the rooms: a provider whose room was not filled has nothing more that is due.
  mutating func took(_ deliveries: [LeasedDelivery], for rooms: [ProviderRoom]) {
    var taken: [ProviderKey: Int] = [:]
    for delivery in deliveries { taken[delivery.providerKey, default: 0] += 1 }
    for (provider, count) in taken { concurrency[provider, default: Concurrency()].begin(count) }
    let done = Set(rooms.filter { taken[$0.provider, default: 0] < $0.room }.map(\.provider))
    if done.isEmpty { return }
    isDue.subtract(done)
    due.removeAll(where: done.contains)
  }

  /// Takes note that a delivery of a provider has ended.
  mutating func end(_ provider: ProviderKey, _ receiver: ReceiverState) {
    concurrency[provider]?.end(receiver)
    if concurrency[provider] == Concurrency() { concurrency[provider] = nil }
  }
}
