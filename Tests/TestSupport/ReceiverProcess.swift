import Glibc
import JSON

/// A receiver that did not do as it should.
package struct ReceiverFailure: Error, CustomStringConvertible {
  /// What went wrong.
  package let description: String

  init(_ description: String) { self.description = description }
}

/// A server in Python beside this file, run for a test: it tells on standard output what happens, and is told by
/// standard input what to do. It ends with its owner, and by itself if the test's process ends first.
final class ReceiverProcess {
  private let program: Program
  private let commands: CInt
  private var commandCount = 0

  init(script: String, arguments: [String]) throws {
    var ends: [CInt] = [-1, -1]
    // Neither end may go to other children, or the script would never see the end of its input.
    let type = CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw SystemFailure("make a pair of sockets", errno) }
    defer { close(ends[0]) }
    commands = ends[1]
    let folder = String(#filePath.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 })
    program = try Program(
      "/usr/bin/python3", arguments: [folder + "/" + script] + arguments, input: .descriptor(ends[0]))
  }

  deinit { close(commands) }

  /// The ports that it listens on, by protocol.
  func ports() throws -> JSONObject {
    try wait { try self.records(of: "listening").first?.object }
  }

  /// What it has told so far under a name.
  func records(of name: String) throws -> [JSONValue] {
    // The last line may be half written.
    try program.standardOutput.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
      .compactMap { try JSONValue(parsing: Array($0)).object?[name] }
  }

  /// Gives a command and waits until it is obeyed.
  func tell(_ command: JSONValue) throws {
    let line = command.json + [UInt8(ascii: "\n")]
    guard send(commands, line, line.count, CInt(MSG_NOSIGNAL)) == line.count else {
      throw SystemFailure("tell a receiver", errno)
    }
    commandCount += 1
    _ = try wait { try self.records(of: "told").count == self.commandCount ? true : nil }
  }

  /// Waits until there is a value.
  func wait<Value>(within seconds: Int = 60, for value: () throws -> Value?) throws -> Value {
    var found: Value?
    try poll(within: seconds) {
      found = try value()
      return found != nil || program.hasEnded
    }
    guard let found else {
      throw ReceiverFailure("a receiver did not do what was waited for: \(program.standardError)")
    }
    return found
  }
}

extension JSONValue {
  /// A string that stands for bytes, one character each.
  var latin1: [UInt8] { string?.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) } ?? [] }

  /// A string that stands for these bytes.
  static func latin1(_ bytes: [UInt8]) -> JSONValue {
    .string(String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })))
  }
}
