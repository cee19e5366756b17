import Glibc

/// A moment on the monotonic clock after which one no longer waits.
struct Deadline {
  private let nanoseconds: UInt64

  init(seconds: Double) { nanoseconds = Self.now() + UInt64(max(0, seconds) * 1e9) }

  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  /// What is left, in milliseconds, rounded up so that a wait is not cut into many of 0.
  var milliseconds: Int32 {
    let now = Self.now()
    return now >= nanoseconds ? 0 : Int32(clamping: (nanoseconds - now + 999_999) / 1_000_000)
  }
}

/// How a wait for a socket ended.
enum Readiness {
  case ready
  case timedOut
  case interrupted
}

/// Waits until a socket can be read from, or also written to where asked, has failed, or the time is up.
func wait(for socket: Int32, orWriting: Bool = false, until deadline: Deadline) -> Readiness {
  var descriptor = pollfd(fd: socket, events: Int16(orWriting ? POLLIN | POLLOUT : POLLIN), revents: 0)
  let count = poll(&descriptor, 1, deadline.milliseconds)
  if count > 0 { return .ready }
  return count < 0 && errno == EINTR ? .interrupted : .timedOut
}
