import Host

/// Who the keys belong to that a worker has checked in the last ten minutes, for when nobody can be asked.
///
/// A key that was revoked is forgotten as soon as it is checked again. One that may be used for some time, or from some networks, is
/// so here too. The first key is good as the settings have it until it is checked; from then on it is what it was found to be.
package struct RecentCallers {
  /// How long a key is remembered, in seconds.
  private static let lifetime = 600.0
  /// How long whose key it is may be presumed while it can be asked, in seconds: then its use is noted again.
  private static let presumption = 60.0
  /// The most keys that are remembered.
  private static let limit = 10_000

  private struct Entry {
    let key: KnownKey
    let checkedAt: Double
  }

  private var entries: [KeyDigest: Entry] = [:]
  private let firstKey: KeyDigest?
  private var firstKeyIsChecked = false

  /// Nobody so far but whoever has the first key, if that is known by its SHA-256 in hexadecimal digits: an admin of the tenant
  /// that every installation begins with.
  package init(firstKeyDigest: String? = nil) { firstKey = firstKeyDigest.flatMap(KeyDigest.init(text:)) }

  /// With the first key that the environment knows: `ALERTING_API_KEY`, or only `ALERTING_API_KEY_SHA256`.
  package static func configured() -> RecentCallers {
    let setting = { (name: String) in Environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    return RecentCallers(
      firstKeyDigest: setting("ALERTING_API_KEY_SHA256")
        ?? setting("ALERTING_API_KEY").map { KeyDigest(of: $0).text })
  }

  /// Takes note of a key that was looked up.
  package mutating func note(_ known: KnownKey, _ key: KeyDigest, at now: Double = Clock.monotonic) {
    if entries.count >= Self.limit { entries = entries.filter { now - $0.value.checkedAt < Self.lifetime } }
    if entries.count >= Self.limit { entries = [:] }
    set(Entry(key: known, checkedAt: now), for: key)
  }

  /// Takes note that a key is nobody's.
  package mutating func forget(_ key: KeyDigest) { set(nil, for: key) }

  /// Whose the key was when it was looked up less than a minute ago, if it may be used from an address.
  func presumedCaller(_ key: KeyDigest, from address: String?, at now: Double = Clock.monotonic) -> Caller? {
    guard let entry = entries[key], now - entry.checkedAt < Self.presumption,
      case .granted(let caller) = entry.key.authentication(from: address, secondsLater: now - entry.checkedAt)
    else { return nil }
    return caller
  }

  private mutating func set(_ entry: Entry?, for key: KeyDigest) {
    entries[key] = entry
    if key == firstKey { firstKeyIsChecked = true }
  }

  /// What the key is good for from an address, if it was looked up not too long ago or is the first.
  package func authentication(
    _ key: KeyDigest, from address: String?, at now: Double = Clock.monotonic
  ) -> Authentication? {
    let isFirst = key == firstKey
    if let entry = entries[key], isFirst || now - entry.checkedAt < Self.lifetime {
      return entry.key.authentication(from: address, secondsLater: now - entry.checkedAt)
    }
    guard isFirst, !firstKeyIsChecked else { return nil }
    return .granted(Caller(tenant: "default", keyID: "first", role: .admin, policyEpoch: 0))
  }
}
