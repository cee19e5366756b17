import JSON
import Store

/// What has been sent of late, and may have been lost with its connection: TCP knows what the other host has, and not what the program
/// there has read of it.
struct RecentlySent {
  /// For how long a program may leave unread what its host has, in seconds.
  static let seconds = 30.0

  /// The first entry of each tenant among those that were sent together, and when, by the monotonic clock.
  private var firsts: [(entry: ExportedEntry, at: Double)] = []

  /// Takes note of what is sent together, each tenant's entries in the order of their numbers.
  mutating func add(_ entries: [ExportedEntry], at now: Double) {
    firsts.removeAll { $0.at < now - Self.seconds }
    var last: ExportedEntry?
    for entry in entries {
      if last?.tenant.hasSameBytes(as: entry.tenant) != true { firsts.append((entry, now)) }
      last = entry
    }
  }

  /// Takes note that the connection is over, and tells what has to be sent again, with all behind it.
  mutating func lose(at now: Double) -> [ExportedEntry] {
    defer { firsts = [] }
    return firsts.filter { $0.at >= now - Self.seconds }.map(\.entry)
  }
}
