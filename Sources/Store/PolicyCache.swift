import Host
import Matching

/// The compiled policies of the tenants that a worker served last, each good for one policy epoch.
///
/// It keeps to a bound in memory, not in tenants: whoever was not served for longest goes first. The tenant in hand stays,
/// however large.
package final class PolicyCache {
  private struct Entry {
    let policies: CompiledPolicies
    var lastUse: Int
  }

  /// From this size on, in bytes, loading leaves so much behind that it is worth looking for it.
  private static let largeSize = 1 << 20

  private let limit: Int
  /// By the bytes of the tenant's name: Swift takes canonically equivalent texts for one, PostgreSQL does not.
  private var entries: [[UInt8]: Entry] = [:]
  private var size = 0
  private var uses = 0

  /// A cache of about so many bytes.
  package init(limit: Int = 64 << 20) { self.limit = limit }

  /// The caller's policies as of the epoch that its key was checked with, or newer.
  package func set(for caller: Caller, in store: Store) throws -> PolicySet {
    uses += 1
    let key = Array(caller.tenant.utf8)
    if let entry = entries[key], entry.policies.epoch == caller.policyEpoch {
      entries[key]?.lastUse = uses
      return entry.policies.set
    }
    // What was compiled for another epoch is never asked for again, and the new takes up its memory.
    forget(key)
    let policies = try store.compiledPolicies(tenant: caller.tenant)
    entries[key] = Entry(policies: policies, lastUse: uses)
    size += policies.size
    while size > limit, let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse }), oldest.key != key {
      forget(oldest.key)
    }
    if policies.size > Self.largeSize { Memory.returnUnused() }
    return policies.set
  }

  /// The policies that a tenant had when it was served last, whatever they are now; nil if none are kept.
  package func latest(of tenant: String) -> CompiledPolicies? {
    let key = Array(tenant.utf8)
    guard let entry = entries[key] else { return nil }
    uses += 1
    entries[key]?.lastUse = uses
    return entry.policies
  }

  private func forget(_ key: [UInt8]) {
    if let entry = entries.removeValue(forKey: key) { size -= entry.policies.size }
  }
}
