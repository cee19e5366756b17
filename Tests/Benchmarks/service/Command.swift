import Foundation

/// A command that failed: what was run and what it said.
struct CommandFailed: Error, CustomStringConvertible {
  let command: String
  let output: String

  var description: String { "\(command) failed:\n\(output)" }
}

/// Runs a program to its end and answers what it printed.
@discardableResult
func run(_ program: String, _ arguments: [String], environment: [String: String] = [:], input: String = "") throws
  -> String
{
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
  let (standardInput, output) = (Pipe(), Pipe())
  process.standardInput = standardInput
  process.standardOutput = output
  process.standardError = output
  try process.run()
  standardInput.fileHandleForWriting.write(Data(input.utf8))
  try standardInput.fileHandleForWriting.close()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else {
    throw CommandFailed(command: ([program] + arguments).joined(separator: " "), output: text)
  }
  return text
}
