import Glibc

/// The machine's clocks. What a policy may do *now* is decided by the database's clock alone, never by these.
package enum Clock {
  /// Wall time in whole seconds since 1970-01-01T00:00:00Z.
  package static var now: Int { time(of: CLOCK_REALTIME).tv_sec }

  /// Wall time in milliseconds since 1970-01-01T00:00:00Z.
  package static var milliseconds: Int {
    let time = time(of: CLOCK_REALTIME)
    return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
  }

  /// Wall time in microseconds since 1970-01-01T00:00:00Z.
  package static var microseconds: Int {
    let time = time(of: CLOCK_REALTIME)
    return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
  }

  /// Seconds since some moment in the past, unmoved by changes of the wall clock: for deadlines and durations.
  package static var monotonic: Double {
    let time = time(of: CLOCK_MONOTONIC)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  /// A moment of wall time as RFC 3339 writes it in UTC: `2025-03-01T07:05:09Z`.
  package static func rfc3339(_ secondsSince1970: Int) -> String {
    var seconds = time_t(secondsSince1970)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    let date = [pad(parts.tm_year + 1900, 4), pad(parts.tm_mon + 1, 2), pad(parts.tm_mday, 2)].joined(separator: "-")
    return date + "T" + [parts.tm_hour, parts.tm_min, parts.tm_sec].map { pad($0, 2) }.joined(separator: ":") + "Z"
  }

  private static func pad(_ number: CInt, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// Both clocks always exist on Linux, so the call has no way to fail.
  private static func time(of clock: clockid_t) -> timespec {
    var time = timespec()
    clock_gettime(clock, &time)
    return time
  }
}
