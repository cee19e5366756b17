import Foundation
import TestSupport

/// Senders of events that go on until they are stopped. Every other one gives its events ids, and sends one that was not taken
/// again under the same id, as a careful client does; the others do neither.
final class EventLoad: Sendable {
  /// What became of the events.
  struct Tally: Sendable {
    /// The names of those that were answered 200 or 202, each the `user` of its event alone.
    var taken: [String] = []
    /// How many of them are kept until the database is back.
    var spooled = 0
    /// How often one had to be sent again.
    var repeats = 0
    /// The longest that an answer took, in seconds.
    var slowest = 0.0
  }

  private let senders: Task<Tally, Never>

  init(to instance: Instance, named name: String, senders count: Int = 6) {
    senders = Task {
      await withTaskGroup(of: Tally.self) { group in
        for sender in 0..<count {
          group.addTask { await Self.send("\(name)-\(sender)", hasIDs: sender.isMultiple(of: 2), to: instance) }
        }
        return await group.reduce(into: Tally()) { all, one in
          all.taken += one.taken
          all.spooled += one.spooled
          all.repeats += one.repeats
          all.slowest = max(all.slowest, one.slowest)
        }
      }
    }
  }

  /// Has every sender get the event in hand through, and answers what became of all.
  func stop() async -> Tally {
    senders.cancel()
    return await senders.value
  }

  private static func send(_ name: String, hasIDs: Bool, to instance: Instance) async -> Tally {
    var tally = Tally()
    var number = 0
    while !Task.isCancelled {
      let id = "\(name)-\(number)"
      number += 1
      // The event in hand is finished even when it is time to stop: the task of its own is not cancelled.
      let outcome = await Task { await sendOnce(id, hasID: hasIDs, to: instance) }.value
      tally.repeats += outcome.repeats
      tally.slowest = max(tally.slowest, outcome.slowest)
      guard let status = outcome.status else { continue }
      tally.taken.append(id)
      tally.spooled += status == 202 ? 1 : 0
    }
    return tally
  }

  private static func sendOnce(
    _ name: String, hasID: Bool, to instance: Instance
  ) async -> (status: Int?, repeats: Int, slowest: Double) {
    let id = hasID ? #","event_id":"\#(name)""# : ""
    let body = Data(#"{"type":"login","user":"\#(name)"\#(id)}"#.utf8)
    var slowest = 0.0
    for attempt in 0..<(hasID ? 100 : 1) {
      let start = ContinuousClock.now
      let answer = try? await instance.send(
        "/api/v1/alerts/process-event", method: "POST", key: instance.key, body: body)
      slowest = max(slowest, (ContinuousClock.now - start) / .seconds(1))
      if let status = answer?.status, status == 200 || status == 202 { return (status, attempt, slowest) }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return (nil, hasID ? 100 : 0, slowest)
  }
}
