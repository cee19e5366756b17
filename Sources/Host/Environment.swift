import CProcess
import Glibc

/// The settings that the process was started with.
package enum Environment {
  /// The value of a variable; nil if it is not set, empty if it is set to nothing.
  package static subscript(name: String) -> String? {
    getenv(name).map { String(cString: $0) }
  }

  /// All of them, each as `NAME=value`: what a program that is this one again is started with.
  package static func all() -> [String] {
    var settings: [String] = []
    var next = environment()
    while let setting = next?.pointee {
      settings.append(String(cString: setting))
      next = next?.successor()
    }
    return settings
  }
}
