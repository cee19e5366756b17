import CProcess
import Glibc

/// A command that runs. It is killed when its time is over, or when nobody is left to wait for it.
package final class ChildProcess {
  private let pid: pid_t
  private let output: CInt
  private let deadline: Double
  private var kept: [UInt8] = []
  private var hasEnded = false

  /// Starts a command, in a process group of its own and with no file open but its standard ones.
  package init(_ command: Command) throws(SystemError) {
    let input = try Pipe()
    let output = try Pipe()
    _ = command.input.withUnsafeBytes { write(input.writing, $0.baseAddress, $0.count) }
    try Self.closeOthersOnStart()
    var pid: pid_t = 0
    let code = Self.spawn(command, &pid, input: input.reading, output: output.writing)
    guard code == 0 else { throw SystemError("start \(command.program)", code: code) }
    self.pid = pid
    self.output = output.takeReading()
    _ = fcntl(self.output, F_SETFL, O_NONBLOCK)
    deadline = Clock.monotonic + Double(command.timeoutSeconds)
  }

  deinit {
    if !hasEnded {
      kill(-pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    close(output)
  }

  /// Libraries open connections that a program started now would inherit, and hold open for as long as it runs. Which there are,
  /// `/proc/self/fd` does not tell a process that keeps its memory private.
  private static func closeOthersOnStart() throws(SystemError) {
    guard close_on_start(UInt32(STDERR_FILENO) + 1) == 0 else { throw SystemError("keep files to itself", code: errno) }
  }

  /// Signals that are blocked or ignored here are neither in the command.
  private static func spawn(_ command: Command, _ pid: inout pid_t, input: CInt, output: CInt) -> CInt {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    for (descriptor, standard) in [(input, STDIN_FILENO), (output, STDOUT_FILENO), (output, STDERR_FILENO)] {
      posix_spawn_file_actions_adddup2(&actions, descriptor, standard)
    }
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    var all = sigset_t()
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setpgroup(&attributes, 0)
    let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    posix_spawnattr_setflags(&attributes, CShort(flags))
    return withCStrings(command.arguments) { arguments in
      withCStrings(command.environment) { environment in
        posix_spawn(&pid, command.program, &actions, &attributes, arguments, environment)
      }
    }
  }

  /// Takes what it has written and looks whether it has ended, without waiting; nil as long as it runs.
  package func proceed() -> CommandReply? {
    read()
    var status: CInt = 0
    if waitpid(pid, &status, WNOHANG) == pid {
      hasEnded = true
      read()
      let signal = status & 0x7F
      return CommandReply(signal == 0 ? .exit(Int(status >> 8 & 0xFF)) : .signal(Int(signal)), output: kept)
    }
    guard Clock.monotonic >= deadline else { return nil }
    kill(-pid, SIGKILL)
    waitpid(pid, nil, 0)
    hasEnded = true
    read()
    return CommandReply(.timeout, output: kept)
  }

  /// Takes what is there, and lets go of what is too much, so that the command never waits for its reader.
  private func read() {
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<64 {
      let count = Glibc.read(output, &buffer, buffer.count)
      guard count > 0 else { return }
      kept += buffer.prefix(min(count, CommandReply.outputLimit - kept.count))
    }
  }
}

/// Two ends that are closed with their owner.
private final class Pipe {
  private(set) var reading: CInt
  let writing: CInt

  init() throws(SystemError) {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SystemError("make a pipe", code: errno) }
    (reading, writing) = (ends[0], ends[1])
  }

  deinit {
    if reading >= 0 { close(reading) }
    close(writing)
  }

  /// The end to read from, which is the caller's from now on.
  func takeReading() -> CInt {
    defer { reading = -1 }
    return reading
  }
}

/// Calls with an array of C strings that ends in NULL.
private func withCStrings<Value>(
  _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
  let copies = strings.map { strdup($0) } + [nil]
  defer { for copy in copies { free(copy) } }
  return copies.withUnsafeBufferPointer { buffer in
    guard let base = buffer.baseAddress else { preconditionFailure("an array with an element has an address") }
    return body(base)
  }
}
