import Host
import Store

/// How many requests a key and a tenant may make on this host, and how many each has left.
struct RateLimits {
  /// What fills a bucket to its brim, in seconds: so long may somebody who was silent be twice as fast.
  private static let burstSeconds = 5

  /// A limit, by its name in the headers, and which bucket a caller draws from.
  private struct Limit {
    let name: String
    let rate: TokenBuckets.Rate
    let bucket: @Sendable (Caller) -> String
  }

  private let buckets: TokenBuckets
  private let limits: [Limit]

  /// The limits that the environment sets, `ALERTING_RATE_LIMIT_KEY` and `ALERTING_RATE_LIMIT_TENANT` in requests a second; nil
  /// where it sets none. Throws where the settings say nothing sensible, or the host has no place to count.
  static func configured() throws -> RateLimits? {
    let limits = try [
      limit("key", "ALERTING_RATE_LIMIT_KEY") { "key \($0.keyTenant) \($0.keyID)" },
      limit("tenant", "ALERTING_RATE_LIMIT_TENANT") { "tenant \($0.tenant)" },
    ].compactMap { $0 }
    if limits.isEmpty { return nil }
    return RateLimits(buckets: try TokenBuckets(path: Environment.stateDirectory + "/rate-limits"), limits: limits)
  }

  private static func limit(
    _ name: String, _ setting: String, _ bucket: @escaping @Sendable (Caller) -> String
  ) throws -> Limit? {
    let perSecond = try Environment.number(setting, of: "requests", in: 0...1_000_000, usual: 0)
    let rate = TokenBuckets.Rate(perSecond: perSecond, capacity: perSecond * burstSeconds)
    return perSecond == 0 ? nil : Limit(name: name, rate: rate, bucket: bucket)
  }

  /// Counts a request of a caller. The fields `RateLimit` and `RateLimit-Policy` of the IETF's draft "RateLimit header fields for
  /// HTTP" (draft-ietf-httpapi-ratelimit-headers-10) for its answer; throws 429 where a bucket is empty.
  func count(_ caller: Caller) throws(Problem) -> [(name: String, value: String)] {
    let levels = limits.map { (limit: $0, level: buckets.take($0.bucket(caller), $0.rate)) }
    let fields = [
      (
        name: "RateLimit-Policy",
        value: limits.map { "\"\($0.name)\";q=\($0.rate.capacity);w=\(Self.burstSeconds)" }.joined(separator: ", ")
      ),
      (
        name: "RateLimit",
        value: levels.map { limit, level in
          let wait = level.isGranted ? level.secondsToFull : level.secondsToNext
          return "\"\(limit.name)\";r=\(level.left);t=\(Self.seconds(wait))"
        }.joined(separator: ", ")
      ),
    ]
    let empty = levels.filter { !$0.level.isGranted }
    if let (limit, level) = empty.max(by: { $0.level.secondsToNext < $1.level.secondsToNext }) {
      throw .tooManyRequests(of: limit.name, seconds: Self.seconds(level.secondsToNext), fields: fields)
    }
    return fields
  }

  /// Whole seconds after which it certainly is so.
  private static func seconds(_ seconds: Double) -> Int { Int(seconds.rounded(.up)) }
}
