import JSON

/// What each hook has yet to be told. A message stays in it until its hook has taken it, so a process that ends between sending
/// and taking note of it has the next one send it again, under the same id.
package struct HookBacklog: Sendable, Equatable {
  /// How long after its last message an outage that is over is still told, in seconds.
  package static let patienceSeconds = 3600

  /// One hook's part.
  fileprivate struct Account: Equatable {
    /// The outage whose alert was last made for it: it alone gets that outage's recovery.
    var alertedOutage: String?
    /// The messages that it has not taken, the oldest first.
    var untold: [StorageMessage] = []
  }

  private var accounts: [String: Account] = [:]

  /// With nothing to tell.
  package init() {}

  /// Whether every hook has been told everything.
  package var isEmpty: Bool { accounts.values.allSatisfy(\.untold.isEmpty) }

  /// What a hook is to be told next; nil if it has been told everything.
  package func next(for hook: String) -> StorageMessage? { accounts[hook]?.untold.first }

  /// Adds a message for hooks. An alert takes the place of an older one of the same outage that a hook has not taken. A recovery
  /// is for those whom the outage was alerted to.
  package mutating func add(_ message: StorageMessage, for hooks: [String]) {
    for hook in hooks {
      var account = accounts[hook] ?? Account()
      switch message.event {
      case .unreachable:
        account.untold.removeAll { $0.outageID == message.outageID }
        account.alertedOutage = message.outageID
      case .recovered:
        if account.alertedOutage != message.outageID { continue }
      }
      account.untold.append(message)
      accounts[hook] = account
    }
  }

  /// Takes note that a hook has taken a message.
  package mutating func take(_ messageID: String, from hook: String) {
    accounts[hook]?.untold.removeAll { $0.id == messageID }
  }

  /// Forgets the hooks that there are no more, and the outages that are over and could not be told in time: a recovery goes only
  /// with what goes before it.
  ///
  /// - Returns: The messages that nobody is told any more, with the hook's name.
  package mutating func clear(
    keeping hooks: [String], lasting outageID: String?, at now: Int
  ) -> [(hook: String, message: StorageMessage)] {
    var lost: [(hook: String, message: StorageMessage)] = []
    for (hook, account) in accounts.sorted(by: { $0.key < $1.key }) {
      let isKept = hooks.contains(hook)
      let overdue = isKept ? account.overdue(lasting: outageID, at: now) : account.untold
      lost += overdue.map { (hook, $0) }
      accounts[hook] = isKept ? account.without(overdue) : nil
    }
    return lost
  }
}

extension HookBacklog.Account {
  fileprivate func overdue(lasting outageID: String?, at now: Int) -> [StorageMessage] {
    untold.filter { message in
      let last = untold.last { $0.outageID == message.outageID } ?? message
      return message.outageID != outageID && now - last.madeAt > HookBacklog.patienceSeconds
    }
  }

  fileprivate func without(_ messages: [StorageMessage]) -> Self {
    var rest = self
    rest.untold.removeAll(where: messages.contains)
    return rest
  }
}

extension HookBacklog: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.array(accounts.sorted { $0.key < $1.key }) { element, writer in
      writer.object { members in
        members.add("hook", element.key)
        members.add("alerted_outage", element.value.alertedOutage)
        members.add("untold", element.value.untold)
      }
    }
  }

  /// Takes a hook's part over from what ``write(to:)`` wrote.
  mutating func restore(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    let hook = reader.requiredString("hook")
    var account = Account()
    account.alertedOutage = reader.string("alerted_outage")
    account.untold = reader.elements("untold", count: 0...10_000, StorageMessage.init(json:)) ?? []
    try reader.finish()
    accounts[hook] = account
  }
}
