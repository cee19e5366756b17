import Matching
import Store

/// The compiled policies of the tenants that this worker served last, each good for one policy epoch.
final class PolicyCache {
  private struct Entry {
    let epoch: Int
    let set: PolicySet
    var lastUse: Int
  }

  private let capacity: Int
  private var entries: [String: Entry] = [:]
  private var uses = 0

  /// A cache of that many tenants.
  init(capacity: Int = 32) { self.capacity = capacity }

  /// The caller's policies as of the epoch that its key was checked with, or newer.
  func set(for caller: Caller, in store: Store) throws -> PolicySet {
    uses += 1
    if let entry = entries[caller.tenant], entry.epoch == caller.policyEpoch {
      entries[caller.tenant]?.lastUse = uses
      return entry.set
    }
    let (epoch, set) = try store.policySet(tenant: caller.tenant)
    entries[caller.tenant] = Entry(epoch: epoch, set: set, lastUse: uses)
    if entries.count > capacity, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }) {
      entries[oldest.key] = nil
    }
    return set
  }
}
