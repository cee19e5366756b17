import Curl
import Delivery
import Host
import StorageWatch

/// Carries many errands at once, in one thread: one that hangs delays no other. `Tag` is what the caller knows an errand by.
package final class ErrandRunner<Tag> {
  /// How often to look whether a program has ended.
  private static var secondsBetweenLooks: Double { 0.02 }

  private let queue: TransferQueue<Tag>
  private var running: [(tag: Tag, process: ChildProcess)] = []
  private var refused: [(tag: Tag, reply: ErrandReply)] = []

  /// A runner that reaches what the machine reaches: the operator names the places. Throws if libcurl cannot be set up.
  package init() throws(QueueFailure) {
    queue = try TransferQueue(addresses: .everywhere, authorities: Environment["ALERTING_CA_FILE"])
  }

  /// The errands that have begun and have not been given back with their reply.
  package var count: Int { queue.count + running.count + refused.count }

  /// Begins an errand; a transfer begins with the next ``wait(seconds:)``, which must follow soon.
  package func begin(_ errand: Errand, tag: Tag) {
    switch errand {
    case .transfer(let transfer): queue.add(transfer, tag: tag)
    case .command(let command):
      do {
        running.append((tag, try ChildProcess(command)))
      } catch {
        refused.append((tag, .command(CommandReply(.refused("\(error)")))))
      }
    }
  }

  /// Carries the errands on until some are done or the time is over.
  ///
  /// - Returns: Those that are done, each with its reply.
  /// - Throws: If libcurl cannot go on.
  package func wait(seconds: Double) throws(QueueFailure) -> [(tag: Tag, reply: ErrandReply)] {
    let deadline = Clock.monotonic + seconds
    while true {
      let ended = takeEnded()
      let left = ended.isEmpty ? max(0, deadline - Clock.monotonic) : 0
      let step = running.isEmpty ? left : min(left, Self.secondsBetweenLooks)
      let carried = try queue.wait(seconds: step).map { (tag: $0.tag, reply: ErrandReply.transfer($0.reply)) }
      if !ended.isEmpty || !carried.isEmpty || left <= 0 { return ended + carried }
    }
  }

  private func takeEnded() -> [(tag: Tag, reply: ErrandReply)] {
    var ended = refused
    refused = []
    running.removeAll { tag, process in
      guard let reply = process.proceed() else { return false }
      ended.append((tag, .command(reply)))
      return true
    }
    return ended
  }
}
