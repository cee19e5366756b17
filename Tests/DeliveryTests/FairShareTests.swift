import Testing

@testable import Delivery

@Suite("How places are shared out") struct FairShareTests {
  private func room(_ name: String, _ count: Int) -> ProviderRoom {
    let parts = name.split(separator: "/").map(String.init)
    return ProviderRoom(provider: ProviderKey(tenant: parts[0], providerID: parts[1]), room: count)
  }

  private func share(_ share: inout FairShare, _ waiting: [ProviderRoom], free: Int) -> [String: Int] {
    let rooms = share.rooms(for: waiting, free: free)
    return Dictionary(uniqueKeysWithValues: rooms.map { ("\($0.provider.tenant)/\($0.provider.providerID)", $0.room) })
  }

  @Test("Nothing waits, or no place is free: nobody gets any")
  func nothing() {
    var fair = FairShare()
    #expect(share(&fair, [], free: 10) == [:])
    #expect(share(&fair, [room("a/1", 5)], free: 0) == [:])
  }

  @Test("Tenants get as much as each other, however many providers they have")
  func tenants() {
    var fair = FairShare()
    let waiting = (1...9).map { room("big/\($0)", 100) } + [room("small/1", 100)]
    let rooms = share(&fair, waiting, free: 90)
    #expect(rooms["small/1"] == 45)
    #expect((1...9).allSatisfy { rooms["big/\($0)"] == 5 })
  }

  @Test("What somebody cannot use goes to the others, and no place is left while anybody has room")
  func leftovers() {
    var fair = FairShare()
    #expect(share(&fair, [room("a/1", 2), room("b/1", 100)], free: 50) == ["a/1": 2, "b/1": 48])
    #expect(share(&fair, [room("a/1", 2), room("b/1", 3)], free: 50) == ["a/1": 2, "b/1": 3])
  }

  @Test("Places that become free one by one go round")
  func turns() {
    var fair = FairShare()
    var given: [String: Int] = [:]
    let waiting = [room("a/1", 9), room("a/2", 9), room("b/1", 9), room("c/1", 9)]
    for _ in 0..<600 {
      given.merge(share(&fair, waiting, free: 1), uniquingKeysWith: +)
    }
    #expect(given["b/1"] == 200 && given["c/1"] == 200)
    #expect(given["a/1", default: 0] + given["a/2", default: 0] == 200)
    #expect(given["a/1"] == given["a/2"])
  }
}

@Suite("How many deliveries to a provider are under way") struct ConcurrencyTests {
  @Test("A receiver that hangs gets fewer and fewer places, and one that answers more and more")
  func limits() {
    var concurrency = Concurrency()
    #expect(concurrency.room(free: 1000) == Concurrency.initial)
    for _ in 0..<20 {
      concurrency.begin()
      concurrency.end(.down)
    }
    #expect(concurrency.room(free: 1000) == 1)
    for _ in 0..<500 {
      concurrency.begin()
      concurrency.end(.answering)
    }
    #expect(concurrency.room(free: 1000) == Concurrency.most)
  }

  @Test("What is under way counts, and half of the free places are for others")
  func places() {
    var concurrency = Concurrency()
    concurrency.begin(Concurrency.initial - 2)
    #expect(concurrency.room(free: 1000) == 2)
    concurrency.begin(5)
    #expect(concurrency.room(free: 1000) == 0)
    #expect(Concurrency().room(free: 9) == 5)
    #expect(Concurrency().room(free: 1) == 1)
    #expect(Concurrency().room(free: 0) == 0)
  }

  @Test("What did not get as far as the receiver says nothing of it")
  func unknown() {
    var concurrency = Concurrency()
    concurrency.begin()
    concurrency.end(.unknown)
    #expect(concurrency == Concurrency())
  }
}
