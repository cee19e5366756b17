import Glibc
import TestSupport

/// A pipe that a worker opens for reading when it has a request in hand.
final class NamedPipe {
  let path: String

  init() throws {
    var name = Array("/tmp/tocsin-pipe-XXXXXX".utf8CString)
    close(mkstemp(&name))
    path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    unlink(path)
    guard mkfifo(path, 0o600) == 0 else { throw SystemFailure("make the pipe \(path)", errno) }
  }

  deinit { unlink(path) }

  /// The other end, once the worker has opened its own: until then opening fails with ENXIO.
  func writer() -> CInt? {
    var writer: CInt = -1
    poll {
      writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC)
      return writer >= 0
    }
    return writer >= 0 ? writer : nil
  }
}
