/// How many deliveries to one provider may be under way at once in a process: few to a receiver that nothing is known of, more
/// with each answer, and half as many with each that does not come.
package struct Concurrency: Sendable, Equatable {
  /// The limit to begin with: what a receiver that hangs can hold of the process.
  package static let initial = 8
  /// The most.
  package static let most = 128

  /// How many deliveries may be under way.
  package private(set) var limit = initial
  /// Whether the receiver answered when it was last tried.
  package private(set) var isProven = false
  /// How many are.
  package private(set) var underWay = 0

  /// Nothing under way.
  package init() {}

  /// How many more may begin, of the places that are free in the process: never more than half of them, so that several
  /// receivers that hang leave some to all others.
  package func room(free: Int) -> Int { max(0, min(limit - underWay, (free + 1) / 2)) }

  /// Takes note that deliveries have begun.
  package mutating func begin(_ count: Int = 1) { underWay += count }

  /// Takes note that one has ended.
  package mutating func end(_ receiver: ReceiverState) {
    underWay -= 1
    switch receiver {
    case .sent, .answering: (limit, isProven) = (min(limit + 1, Self.most), true)
    case .down: (limit, isProven) = (max(limit / 2, 1), false)
    case .unknown: break
    }
  }
}
