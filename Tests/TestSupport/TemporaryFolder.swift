import Foundation
import Host

/// A folder of a test's own, which goes with it and all that is in it.
package final class TemporaryFolder {
  /// Where it is.
  package let path: String

  /// Makes it, for nobody but the owner.
  package init() throws {
    path = "/tmp/" + Identifier.make("tocsin-test-")
    try FileManager.default.createDirectory(
      atPath: path, withIntermediateDirectories: false, attributes: [.posixPermissions: 0o700])
  }

  deinit {
    do {
      try FileManager.default.removeItem(atPath: path)
    } catch {
      Log.error("a test's folder is left behind", ["path": path, "error": "\(error)"])
    }
  }
}
