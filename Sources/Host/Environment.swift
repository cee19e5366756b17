import Glibc

/// The settings that the process was started with.
package enum Environment {
  /// The value of a variable; nil if it is not set, empty if it is set to nothing.
  package static subscript(name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }
}
