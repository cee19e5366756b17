import Glibc

/// A system call that failed.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was tried, for a person: `open /etc/tocsin.env`.
  package let attempt: String
  /// The `errno` of the call.
  package let code: CInt

  /// The error for a call that failed with an `errno`.
  package init(_ attempt: String, code: CInt) {
    self.attempt = attempt
    self.code = code
  }

  package var description: String { "cannot \(attempt): \(String(cString: strerror(code)))" }
}

/// Files of the machine.
package enum File {
  /// The whole of a file. Throws `EFBIG` for one that is longer than the limit in bytes.
  package static func read(_ path: String, limit: Int = 64 << 20) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open \(path)", code: errno) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw SystemError("read \(path)", code: errno)
      }
      guard bytes.count + count <= limit else { throw SystemError("read \(path)", code: EFBIG) }
      bytes += buffer[..<count]
    }
  }
  /// The names of all that is in a folder, `.` and `..` aside, in no order.
  package static func names(in folder: String) throws(SystemError) -> [String] {
    guard let directory = opendir(folder) else { throw SystemError("open \(folder)", code: errno) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}
