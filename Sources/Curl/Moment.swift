import Glibc

/// Moments for deadlines.
enum Moment {
  /// Seconds since some moment in the past, unmoved by changes of the wall clock.
  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
