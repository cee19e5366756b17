import Delivery
import Host

/// Who the keys belong to that a worker has checked in the last ten minutes, for when nobody can be asked.
///
/// A key that was revoked is forgotten as soon as it is checked again. Keys are remembered by their SHA-256 alone.
package struct RecentCallers {
  /// How long a key is remembered, in seconds.
  private static let lifetime = 600.0
  /// The most keys that are remembered.
  private static let limit = 10_000

  private struct Entry {
    let caller: Caller
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

  /// Takes note of what was found out about a key: whose it is, or that it is nobody's.
  package mutating func note(_ caller: Caller?, key: String, at now: Double = Clock.monotonic) {
    if entries.count >= Self.limit { entries = entries.filter { now - $0.value.checkedAt < Self.lifetime } }
    if entries.count >= Self.limit { entries = [:] }
    entries[Self.sha256(key)] = caller.map { Entry(caller: $0, checkedAt: now) }
  }

  /// Whose the key was when it was last checked, if that is not too long ago.
  package func caller(key: String, at now: Double = Clock.monotonic) -> Caller? {
    if let entry = entries[Self.sha256(key)], now - entry.checkedAt < Self.lifetime { return entry.caller }
    guard Self.digest(of: key) == firstKeyDigest else { return nil }
    return Caller(tenant: "default", keyID: "first", role: .admin, policyEpoch: 0)
  }
}
