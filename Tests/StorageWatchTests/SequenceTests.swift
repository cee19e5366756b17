import JSON
import Testing

@testable import StorageWatch

@Suite("Any sequence of probes, attempts, crashes and changes of the clock") struct SequenceTests {
  /// What a sequence really was: the truth to compare with.
  private struct Truth {
    var failingSince: Int?
    /// When each alert of the outage that lasts was made, by a clock that nobody sets.
    var alerts: [Int] = []
    var ended = 0
    /// The time that has really passed.
    var time = 0
  }

  @Test("Each alerted outage has exactly one recovery, none is without alert, and alerts keep the cool-down")
  func sequences() throws {
    let seed = UInt64.random(in: 0 ... .max)
    print("sequences of probes: seed \(seed)")
    var random = SplitMix(state: seed)
    for _ in 0..<400 { try run(&random) }
  }

  private func run(_ random: inout SplitMix) throws {
    var storage = Storage(
      threshold: .random(in: 0...40, using: &random), cooldown: .random(in: 0...200, using: &random),
      hooks: ["a", "b"])
    var truth = Truth()
    for _ in 0..<Int.random(in: 1...150, using: &random) {
      let seconds = Int.random(in: 1...20, using: &random)
      truth.time += seconds
      storage.now += seconds
      if Int.random(in: 0..<30, using: &random) == 0 { storage.now -= .random(in: 0...100_000, using: &random) }
      check(storage.probe(Bool.random(using: &random) ? .usable : .failed("x")), of: storage, &truth)
      for hook in storage.hooks where Bool.random(using: &random) {
        storage.tell(hook, isNoted: Int.random(in: 0..<3, using: &random) > 0)
      }
      if Int.random(in: 0..<5, using: &random) == 0 { try storage.restart() }
    }
    truth.time += 1
    storage.now += 1
    check(storage.probe(.usable), of: storage, &truth)
    storage.tellAll()
    for hook in storage.hooks { checkPairs(storage.received[hook] ?? [], outages: truth.ended) }
  }

  private func check(_ message: StorageMessage?, of storage: Storage, _ truth: inout Truth) {
    guard storage.state.watch.outage != nil else {
      #expect((message?.isAlert == false) == !truth.alerts.isEmpty)
      if !truth.alerts.isEmpty { truth.ended += 1 }
      (truth.failingSince, truth.alerts) = (nil, [])
      return
    }
    let since = truth.failingSince ?? truth.time
    truth.failingSince = since
    guard let message else { return }
    #expect(message.isAlert)
    // A clock that was set back makes an outage seem shorter by what passed since the last probe, never longer.
    #expect(truth.time - since >= storage.rules.thresholdSeconds)
    if let last = truth.alerts.last { #expect(truth.time - last >= storage.rules.cooldownSeconds) }
    truth.alerts.append(truth.time)
  }

  /// What one receiver got: for each outage alerts, then one recovery, before anything of the next.
  private func checkPairs(_ messages: [StorageMessage], outages: Int) {
    #expect(messages.count { !$0.isAlert } == outages)
    #expect(Set(messages.map(\.id)).count == messages.count)
    for (index, message) in messages.enumerated() where !message.isAlert {
      #expect(index > 0 && messages[index - 1].isAlert && messages[index - 1].outageID == message.outageID)
      #expect(messages[(index + 1)...].allSatisfy { $0.outageID != message.outageID })
    }
  }
}

/// Numbers that follow from a seed, so that a failure can be had again.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
