import Glibc
import Host

/// A program, run as a process of its own.
package final class Program {
  /// How a process ended.
  package enum Ending: Equatable, Sendable {
    /// It returned this status.
    case exit(CInt)
    /// This signal ended it.
    case signal(CInt)
  }

  /// What a process finds as its standard input.
  package enum Input {
    /// A file with these bytes.
    case bytes([UInt8])
    /// A listening socket, as a supervisor hands it to a FastCGI worker.
    case socket(FastCGISocket)
    /// Whatever is open here.
    case descriptor(CInt)
  }

  /// The process.
  package let pid: pid_t
  private let output = TemporaryFile()
  private let errors = TemporaryFile()
  private var ending: Ending?

  /// Starts an executable of the package by its name, or any other by its path, with nothing in its environment but
  /// what is given.
  package init(
    _ name: String, arguments: [String] = [], environment: [String: String] = [:], input: Input = .bytes([])
  ) throws {
    let file = if case .bytes(let bytes) = input { TemporaryFile(bytes) } else { TemporaryFile() }
    let descriptor =
      switch input {
      case .bytes: file.descriptor
      case .socket(let socket): socket.descriptor
      case .descriptor(let descriptor): descriptor
      }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, descriptor, 0)
    posix_spawn_file_actions_adddup2(&actions, output.descriptor, 1)
    posix_spawn_file_actions_adddup2(&actions, errors.descriptor, 2)
    Self.closeOthers(&actions)
    let path = name.hasPrefix("/") ? name : Self.directory + name
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
    var settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0)=\($1)") } + [nil]
    defer { for text in words + settings { free(text) } }
    var pid: pid_t = 0
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // What a test on this thread has blocked before is not the program's affair.
    var noSignals = sigset_t()
    sigemptyset(&noSignals)
    posix_spawnattr_setsigmask(&attributes, &noSignals)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let code = withExtendedLifetime(file) { posix_spawn(&pid, path, &actions, &attributes, &words, &settings) }
    guard code == 0 else { throw SystemFailure("start \(path)", code) }
    self.pid = pid
  }

  deinit {
    if ending == nil {
      Glibc.kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
  }

  /// Where the executables of the package are: beside the test program.
  package static var directory: String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let length = buffer.withUnsafeMutableBytes {
      $0.withMemoryRebound(to: CChar.self) { name in
        name.baseAddress.map { readlink("/proc/self/exe", $0, name.count) } ?? 0
      }
    }
    let path = String(decoding: buffer.prefix(max(0, length)), as: UTF8.self)
    return path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/"
  }

  /// Keeps what the tests beside this one have open out of the program, whenever they opened it: a PostgreSQL counts it and refuses
  /// to start, and Foundation takes a program of its own for running as long as somebody has its socket. What is not open is no
  /// fault.
  private static func closeOthers(_ actions: inout posix_spawn_file_actions_t) {
    for descriptor in 3..<min(1024, getdtablesize()) { posix_spawn_file_actions_addclose(&actions, descriptor) }
  }

  /// Sends a signal.
  package func signal(_ number: CInt) { Glibc.kill(pid, number) }

  /// Asks the process to end, once it listens for that: a signal that comes before would end it as it ends any program. One that
  /// waits in `sigtimedwait` shows nothing blocked meanwhile, so what has run for some seconds is taken to listen.
  package func terminate(by number: CInt = SIGTERM) throws {
    try poll(within: 4) { try hasEnded || blocks(number) }
    signal(number)
  }

  /// Whether a signal waits until the process looks for it, by the mask in `/proc/PID/status`.
  private func blocks(_ number: CInt) throws -> Bool {
    let status = String(decoding: try File.read("/proc/\(pid)/status"), as: UTF8.self)
    guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigBlk:") }) else { return false }
    return (UInt64(line.dropFirst("SigBlk:".count).drop { $0 == "\t" }, radix: 16) ?? 0) >> (number - 1) & 1 == 1
  }

  /// Whether the process has ended.
  package var hasEnded: Bool {
    if ending != nil { return true }
    var status: CInt = 0
    guard waitpid(pid, &status, WNOHANG) == pid else { return false }
    ending = status & 0x7F == 0 ? .exit(status >> 8 & 0xFF) : .signal(status & 0x7F)
    return true
  }

  /// Waits for the process to end by itself; nil if it has not after so many seconds.
  package func ending(within seconds: Int = 60) -> Ending? {
    poll(within: seconds) { hasEnded }
    return ending
  }

  /// What the process has written to standard output so far.
  package var standardOutput: [UInt8] { output.content }

  /// What the process has written to standard error so far.
  package var standardError: String { String(decoding: errors.content, as: UTF8.self) }
}

/// A file that nobody else sees and that is gone with its owner.
package final class TemporaryFile {
  /// Open for reading and writing; not inherited by processes.
  package let descriptor: CInt

  /// A file with content, to be read from its beginning.
  package init(_ content: [UInt8] = []) {
    var name = Array("/tmp/tocsin-test-XXXXXX".utf8CString)
    descriptor = mkstemp(&name)
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    precondition(descriptor >= 0, "cannot make a temporary file")
    unlink(name)
    var rest = content[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      precondition(count > 0, "cannot write a temporary file")
      rest = rest.dropFirst(count)
    }
    lseek(descriptor, 0, SEEK_SET)
  }

  deinit { close(descriptor) }

  /// All that is in the file.
  package var content: [UInt8] {
    var status = stat()
    fstat(descriptor, &status)
    return [UInt8](unsafeUninitializedCapacity: Int(status.st_size)) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, buffer.count, 0))
    }
  }
}

/// A system call that failed in a test's own machinery.
package struct SystemFailure: Error, CustomStringConvertible {
  /// What was tried, and why it failed.
  package let description: String

  /// A failure with its `errno`.
  package init(_ attempt: String, _ code: CInt) {
    description = "cannot \(attempt): \(String(cString: strerror(code)))"
  }
}

/// Asks again and again until something holds or the seconds are over; tells whether it held.
@discardableResult
package func poll(within seconds: Int = 60, until holds: () throws -> Bool) rethrows -> Bool {
  let deadline = time(nil) + seconds
  while try !holds() {
    if time(nil) > deadline { return false }
    usleep(2000)
  }
  return true
}
