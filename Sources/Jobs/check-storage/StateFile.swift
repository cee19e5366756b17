import Host
import JSON
import StorageWatch

/// The checker's state on file. Each change replaces the whole file at once.
final class StateFile {
  private let path: String
  /// What is on file, as far as it could be written.
  private var written: CheckerState?
  private var isFailing = false

  init(_ path: String) { self.path = path }

  /// What is on file; a new state where there is none. A file that cannot be understood is set aside for somebody to look at:
  /// whoever it would have told of an outage's end is not told, but the storage is checked on.
  func read() throws -> CheckerState {
    guard let bytes = try content() else { return CheckerState() }
    do {
      let state = try CheckerState(bytes: bytes)
      written = state
      return state
    } catch {
      let aside = "\(path).corrupt-\(Clock.milliseconds)"
      try File.rename(path, to: aside)
      Log.error("the state cannot be read and is begun anew", ["file": aside, "error": "\(error)"])
      return CheckerState()
    }
  }

  private func content() throws(SystemError) -> [UInt8]? {
    do {
      return try File.read(path)
    } catch  where error.isMissingFile {
      return nil
    }
  }

  /// Writes a state down, if it is not what is on file already. Where that fails the checker goes on with what it remembers: a
  /// hook may then be told twice, which is better than not at all.
  func write(_ state: CheckerState) {
    guard state != written else { return }
    do {
      try File.replace(path, with: state.json)
      written = state
      isFailing = false
    } catch {
      if !isFailing { Log.error("the state cannot be kept", ["error": "\(error)"]) }
      isFailing = true
    }
  }
}
