import Glibc

/// The wish of an operator or a supervisor that a job end: SIGTERM, SIGINT or SIGUSR1.
///
/// The signals are blocked for the whole process and taken up where the program asks for them, so none ever interrupts a
/// system call halfway. Make one before the first thread starts: threads inherit what is blocked. FastCGI workers need none of
/// this, their server watches for the same signals itself.
package final class Termination {
  private var signals = sigset_t()
  private var isKnown = false

  /// Starts to hold the signals back.
  package init() {
    sigemptyset(&signals)
    for signal in [SIGTERM, SIGINT, SIGUSR1] { sigaddset(&signals, signal) }
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  /// Whether the process has been asked to end.
  package var isRequested: Bool { isRequested(within: 0) }

  /// Sleeps until the process is asked to end, but no longer than a number of seconds; tells whether it was asked.
  package func isRequested(within seconds: Double) -> Bool {
    let deadline = Clock.monotonic + seconds
    while !isKnown {
      let rest = max(0, deadline - Clock.monotonic)
      var timeout = timespec(tv_sec: Int(rest), tv_nsec: Int(rest.truncatingRemainder(dividingBy: 1) * 1e9))
      if sigtimedwait(&signals, nil, &timeout) > 0 {
        isKnown = true
      } else if errno != EINTR {
        return false
      }
    }
    return true
  }
}
