import Glibc

/// A file that one process at a time has locked. The lock ends with the process, however that ends; commands that it has started
/// do not hold it.
package final class FileLock {
  private let descriptor: CInt

  /// Opens the file, which is made if there is none.
  package init(_ path: String) throws(SystemError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("open \(path)", code: errno) }
  }

  deinit { close(descriptor) }

  /// Takes the lock if nobody has it; tells whether it is taken.
  package func take() -> Bool { flock(descriptor, LOCK_EX | LOCK_NB) == 0 }
}
