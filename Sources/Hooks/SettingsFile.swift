import Host
import JSON
import StorageWatch

/// The file that says how the storage is checked and who is told.
package struct SettingsFile {
  private static let defaultPath = "/etc/tocsin-storage.json"
  /// The most bytes that it may have.
  private static let limit = 1 << 20

  /// Where it is.
  package let path: String
  private let mayBeMissing: Bool

  /// Why there are no settings: what is wrong with the file, and where in it. Nothing of its content is quoted but names.
  package struct Unusable: Error, CustomStringConvertible {
    /// What is wrong, for the operator.
    package let description: String
  }

  /// The file at a path, by default that of `ALERTING_STORAGE_CONFIG`, by default ``defaultPath``, which alone need not be there.
  package init(path: String? = nil) {
    let named = path ?? Environment["ALERTING_STORAGE_CONFIG"].flatMap { $0.isEmpty ? nil : $0 }
    self.path = named ?? Self.defaultPath
    mayBeMissing = named == nil
  }

  /// Reads it. Where others than its owner may read it the log says so, for it holds secrets.
  package func read() throws(Unusable) -> StorageSettings {
    do {
      let bytes = try content()
      let pagerDutyURL = Environment["ALERTING_PAGERDUTY_URL"].flatMap { $0.isEmpty ? nil : $0 }
      return try StorageSettings(json: JSONValue(parsing: bytes), pagerDutyURL: pagerDutyURL)
    } catch let faults as JSONFaults {
      let places = faults.faults.map { "\($0.pointer) \($0.detail)" }.joined(separator: "; ")
      throw Unusable(description: "\(path): \(places)")
    } catch let error as JSONSyntaxError {
      throw Unusable(description: "\(path) is not JSON: \(error.reason), at byte \(error.offset)")
    } catch {
      throw Unusable(description: "\(error)")
    }
  }

  private func content() throws(SystemError) -> [UInt8] {
    do {
      let bytes = try File.read(path, limit: Self.limit)
      if try File.isReadableByOthers(path) {
        Log.warning("others can read a file with secrets; set its mode to 600", ["file": path])
      }
      return bytes
    } catch  where mayBeMissing && error.isMissingFile {
      return Array("{}".utf8)
    }
  }
}
