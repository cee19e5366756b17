/// A program to be run beside the process, with no shell in between.
package struct Command: Sendable, Equatable {
  /// The program's file.
  package let program: String
  /// What it is called with, the name that it goes by first.
  package let arguments: [String]
  /// Its whole environment, as `NAME=value`.
  package let environment: [String]
  /// What it finds on standard input: at most ``inputLimit`` bytes.
  package let input: [UInt8]
  /// After how many seconds it is killed, with all that it has started in its process group.
  package let timeoutSeconds: Int

  /// What a pipe takes whether or not anybody reads (pipe(7)).
  package static let inputLimit = 65_536

  /// A program with all that it is given.
  package init(program: String, arguments: [String], environment: [String], input: [UInt8] = [], timeoutSeconds: Int) {
    precondition(input.count <= Self.inputLimit, "the input of a command is longer than a pipe takes")
    self.program = program
    self.arguments = arguments
    self.environment = environment
    self.input = input
    self.timeoutSeconds = timeoutSeconds
  }
}

/// How a command ended.
package struct CommandReply: Sendable, Equatable {
  /// The most bytes of output that are kept.
  package static let outputLimit = 8192

  /// What ended it.
  package let ending: Ending
  /// The first bytes of what it wrote to standard output and standard error.
  package let output: [UInt8]

  /// What ended a command.
  package enum Ending: Sendable, Equatable {
    /// It returned this status.
    case exit(Int)
    /// This signal.
    case signal(Int)
    /// Its time was over, and it was killed.
    case timeout
    /// It could not be started, for a reason.
    case refused(String)
  }

  /// The end of a command.
  package init(_ ending: Ending, output: [UInt8] = []) {
    self.ending = ending
    self.output = output
  }
}
