import Glibc
import TestSupport

/// The receiver, as a process of its own.
final class ReceiverProgram {
  /// The port that it listens on.
  let port: String
  private let program: Program
  private let end: CInt

  /// Starts it.
  init() throws {
    var ends: [CInt] = [-1, -1]
    guard socketpair(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
      throw SystemFailure("make a pair of sockets", errno)
    }
    defer { close(ends[0]) }
    end = ends[1]
    let program = try Program("delivery-benchmark", arguments: ["receiver"], input: .descriptor(ends[0]))
    poll { program.standardOutput.contains(UInt8(ascii: "\n")) }
    port = String(decoding: program.standardOutput.prefix { $0 != 0x0A }, as: UTF8.self)
    self.program = program
  }

  deinit { close(end) }

  /// A request as it arrived.
  struct Arrival {
    let path: Substring
    let delivery: Substring
    let latency: Int
  }

  /// Ends the receiver; all that has arrived.
  func arrivals() throws -> [Arrival] {
    shutdown(end, CInt(SHUT_RDWR))
    guard program.ending() == .exit(0) else { throw SystemFailure("end the receiver", 0) }
    return String(decoding: program.standardOutput, as: UTF8.self).split(separator: "\n").dropFirst().map { line in
      let words = line.split(separator: " ", omittingEmptySubsequences: false)
      return Arrival(path: words[0], delivery: words[1], latency: Int(words[2]) ?? 0)
    }
  }
}
