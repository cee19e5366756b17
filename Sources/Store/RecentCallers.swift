import Delivery
import Host

/// Who the keys belong to that a worker has checked in the last ten minutes, for when nobody can be asked.
///
/// A key that was revoked is forgotten as soon as it is checked again. One that may be used for some time, or from some networks, is
/// so here too. Keys are remembered by their SHA-256 alone.
package struct RecentCallers {
  /// How long a key is remembered, in seconds.
  private static let lifetime = 600.0
  /// The most keys that are remembered.
  private static let limit = 10_000

  private struct Entry {
    let key: KnownKey
    let checkedAt: Double
  }

  private var entries: [[UInt8]: Entry] = [:]
  private let firstKeyDigest: String?

  /// Nobody so far but whoever has the first key, if that is known by its SHA-256 in hexadecimal digits: an admin of the tenant
  /// that every installation begins with.
  package init(firstKeyDigest: String? = nil) { self.firstKeyDigest = firstKeyDigest }

  /// With the first key that the environment knows: `ALERTING_API_KEY`, or only `ALERTING_API_KEY_SHA256`.
  package static func configured() -> RecentCallers {
    let setting = { (name: String) in Environment[name].flatMap { $0.isEmpty ? nil : $0 } }
    return RecentCallers(
      firstKeyDigest: setting("ALERTING_API_KEY_SHA256")?.lowercased() ?? setting("ALERTING_API_KEY").map(digest(of:)))
  }

  /// The SHA-256 of a key in hexadecimal digits.
  package static func digest(of key: String) -> String {
    Hexadecimal.encoded(sha256(key))
  }

  private static func sha256(_ key: String) -> [UInt8] { Digest.sha256(Array(key.utf8)) }

  /// Takes note of a key that was looked up.
  package mutating func note(_ known: KnownKey, key: String, at now: Double = Clock.monotonic) {
    if entries.count >= Self.limit { entries = entries.filter { now - $0.value.checkedAt < Self.lifetime } }
    if entries.count >= Self.limit { entries = [:] }
    entries[Self.sha256(key)] = Entry(key: known, checkedAt: now)
  }

  /// Takes note that a key is nobody's.
  package mutating func forget(key: String) { entries[Self.sha256(key)] = nil }

  /// What the key is good for from an address, if it was looked up not too long ago.
  package func authentication(
    key: String, from address: String?, at now: Double = Clock.monotonic
  ) -> Authentication? {
    if let entry = entries[Self.sha256(key)], now - entry.checkedAt < Self.lifetime {
      return entry.key.authentication(from: address, secondsLater: now - entry.checkedAt)
    }
    guard Self.digest(of: key) == firstKeyDigest else { return nil }
    return .granted(Caller(tenant: "default", keyID: "first", role: .admin, policyEpoch: 0))
  }
}
