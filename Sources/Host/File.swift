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

  /// Whether there is nothing of the name.
  package var isMissingFile: Bool { code == ENOENT }

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

  /// Replaces a file, or makes it, for nobody but the owner to read: whoever reads it, even after a crash, finds the old content
  /// or the new one, whole. It may keep the owner and group of the file that is there.
  package static func replace(
    _ path: String, with content: [UInt8], keepingOwner: Bool = false
  ) throws(SystemError) {
    let new = path + ".new"
    let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("open \(new)", code: errno) }
    defer { close(descriptor) }
    if keepingOwner { try take(descriptor, new, from: path) }
    try write(content, to: descriptor, new)
    guard fsync(descriptor) == 0 else { throw SystemError("write \(new)", code: errno) }
    try rename(new, to: path)
  }

  private static func take(_ descriptor: CInt, _ new: String, from path: String) throws(SystemError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError("look at \(path)", code: errno) }
    guard fchown(descriptor, status.st_uid, status.st_gid) == 0 else {
      throw SystemError("give \(new) the owner of \(path)", code: errno)
    }
  }

  /// Makes a file that must not be there yet, for nobody but the owner to read, of what the body writes: on the disk when this
  /// returns, and not there at all where the body throws.
  package static func create(_ path: String, _ body: (_ write: ([UInt8]) throws -> Void) throws -> Void) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SystemError("make \(path)", code: errno) }
    defer { close(descriptor) }
    do {
      try body { try write($0, to: descriptor, path) }
      guard fsync(descriptor) == 0 else { throw SystemError("write \(path)", code: errno) }
      try synchronize(folder(of: path))
    } catch {
      unlink(path)
      throw error
    }
  }

  /// Reads a file line by line, without the line feeds.
  package static func forEachLine(of path: String, _ body: ([UInt8]) throws -> Void) throws {
    guard let file = fopen(path, "re") else { throw SystemError("open \(path)", code: errno) }
    defer { fclose(file) }
    var line: UnsafeMutablePointer<CChar>?
    var capacity = 0
    defer { free(line) }
    while true {
      let length = getline(&line, &capacity, file)
      guard length > 0, let line else { break }
      let bytes = UnsafeRawBufferPointer(start: line, count: length)
      try body(Array(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...]))
    }
    guard ferror(file) == 0 else { throw SystemError("read \(path)", code: errno) }
  }

  /// Gives a file another name in the same folder, for good when this returns.
  package static func rename(_ path: String, to newPath: String) throws(SystemError) {
    guard Glibc.rename(path, newPath) == 0 else { throw SystemError("rename \(path) to \(newPath)", code: errno) }
    try synchronize(folder(of: newPath))
  }

  /// Makes a folder for nobody but the owner, for good when this returns; one that is there already is left as it is.
  package static func makeFolder(_ path: String) throws(SystemError) {
    if mkdir(path, 0o700) != 0 {
      if errno == EEXIST { return }
      throw SystemError("make \(path)", code: errno)
    }
    try synchronize(folder(of: path))
  }

  private static func folder(of path: String) -> String { path.lastIndex(of: "/").map { String(path[...$0]) } ?? "." }

  /// Writes all of some bytes to an open file, of which the path is told if that fails.
  package static func write(_ bytes: [UInt8], to descriptor: CInt, _ path: String) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw SystemError("write \(path)", code: errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// Makes what was done to the names in a folder last through a crash of the machine.
  package static func synchronize(_ folder: String) throws(SystemError) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SystemError("open \(folder)", code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw SystemError("write \(folder)", code: errno) }
  }

  /// Whether others than the owner may read a file, or its group.
  package static func isReadableByOthers(_ path: String) throws(SystemError) -> Bool {
    var status = stat()
    guard stat(path, &status) == 0 else { throw SystemError("look at \(path)", code: errno) }
    return status.st_mode & 0o077 != 0
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
