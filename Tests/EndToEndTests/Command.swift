import Foundation

/// What a program that was run to its end has said.
struct Command {
  let status: Int32
  let output: String
  let errors: String

  /// Runs a program: one of the checkout (`deploy/run`) or one on the PATH. Settings are added to the environment.
  static func run(
    _ program: String, _ arguments: [String], settings: [String: String] = [:], input: String = ""
  ) async throws -> Command {
    let process = Process()
    let files = try (0..<3).map { _ in try file() }
    try files[0].write(contentsOf: Data(input.utf8))
    try files[0].seek(toOffset: 0)
    process.executableURL = URL(filePath: "/usr/bin/env")
    // Threads of this program block signals, and a child would inherit that.
    process.arguments = ["--default-signal", program] + arguments
    process.currentDirectoryURL = Checkout.top
    process.environment = ProcessInfo.processInfo.environment.merging(settings) { $1 }
    // Files, not pipes: a service that a program leaves running must not keep anybody waiting for the end of a pipe.
    (process.standardInput, process.standardOutput, process.standardError) = (files[0], files[1], files[2])
    try await withCheckedThrowingContinuation { (ended: CheckedContinuation<Void, any Error>) in
      process.terminationHandler = { _ in ended.resume() }
      do { try process.run() } catch { ended.resume(throwing: error) }
    }
    return Command(status: process.terminationStatus, output: try text(files[1]), errors: try text(files[2]))
  }

  private static func file() throws -> FileHandle {
    let url = FileManager.default.temporaryDirectory.appending(path: "tocsin-test-\(UUID().uuidString)")
    try Data().write(to: url)
    let handle = try FileHandle(forUpdating: url)
    try FileManager.default.removeItem(at: url)
    return handle
  }

  private static func text(_ file: FileHandle) throws -> String {
    try file.seek(toOffset: 0)
    return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
  }
}

/// The project's own files.
enum Checkout {
  static let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
}

/// Asks again and again until something holds; throws when the seconds are over.
func wait(upTo seconds: Double = 30, for what: String, until holds: () async throws -> Bool) async throws {
  let deadline = ContinuousClock.now + .seconds(seconds)
  while try await !holds() {
    guard ContinuousClock.now < deadline else { throw Overdue(description: "waited \(seconds) s in vain: \(what)") }
    try await Task.sleep(for: .milliseconds(50))
  }
}

struct Overdue: Error, CustomStringConvertible {
  let description: String
}
