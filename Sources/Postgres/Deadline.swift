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

  /// Whether the moment is past.
  var isOver: Bool { Self.now() >= nanoseconds }
}

extension Deadline: Comparable {
  static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }
}

/// How a wait for a socket ended.
enum Readiness {
  case ready
  case timedOut
  case interrupted
}

/// Waits until a socket can be read from, or also written to where asked, has failed, or the time is up; no longer than so many
/// milliseconds where they are given.
func wait(
  for socket: Int32, orWriting: Bool = false, until deadline: Deadline, atMost milliseconds: Int32 = .max
) -> Readiness {
  var descriptor = pollfd(fd: socket, events: Int16(orWriting ? POLLIN | POLLOUT : POLLIN), revents: 0)
  let count = poll(&descriptor, 1, min(deadline.milliseconds, milliseconds))
  if count > 0 { return .ready }
  return count < 0 && errno == EINTR ? .interrupted : .timedOut
}
