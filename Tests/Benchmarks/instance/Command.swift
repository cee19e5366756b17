import Foundation
import Glibc

/// A command that failed: what was run and what it said.
package struct CommandFailed: Error, CustomStringConvertible {
  let command: String
  let output: String

  /// A failure of a command, as it was typed.
  package init(command: String, output: String) {
    self.command = command
    self.output = output
  }

  package var description: String { "\(command) failed:\n\(output)" }
}

/// Runs a program to its end and answers what it printed. Spawned and waited for by hand: Foundation's `Process` takes a program
/// for running as long as a service that it left behind is.
@discardableResult
package func run(
  _ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = ""
) throws -> String {
  let (standardInput, output) = (try temporaryFile(holding: input), try temporaryFile(holding: ""))
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, standardInput.fileDescriptor, 0)
  posix_spawn_file_actions_adddup2(&actions, output.fileDescriptor, 1)
  posix_spawn_file_actions_adddup2(&actions, output.fileDescriptor, 2)

  let settings = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
  var words = ([program] + arguments).map { strdup($0) } + [nil]
  var variables = settings.map { strdup($0) } + [nil]
  defer { for pointer in words + variables { free(pointer) } }
  var process: pid_t = 0
  var status: Int32 = 0
  guard posix_spawnp(&process, program, &actions, nil, &words, &variables) == 0, waitpid(process, &status, 0) == process
  else { throw CommandFailed(command: program, output: String(cString: strerror(errno))) }

  try output.seek(toOffset: 0)
  let text = String(decoding: try output.readToEnd() ?? Data(), as: UTF8.self)
  guard status == 0 else { throw CommandFailed(command: ([program] + arguments).joined(separator: " "), output: text) }
  return text
}

/// A file that is gone once it is closed.
private func temporaryFile(holding text: String) throws -> FileHandle {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("tocsin-benchmark-\(UUID().uuidString)")
  try Data(text.utf8).write(to: url)
  let file = try FileHandle(forUpdating: url)
  try FileManager.default.removeItem(at: url)
  return file
}
