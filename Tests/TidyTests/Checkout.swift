import Foundation

/// The project's files, as git knows them: those it tracks and those it would, read once.
struct Checkout {
  struct File {
    /// Relative to the top: `Sources/JSON/JSONValue.swift`.
    let path: String
    let lines: [Substring]

    func isUnder(_ folders: String...) -> Bool { folders.contains { path.hasPrefix($0 + "/") } }
    var isSwift: Bool { path.hasSuffix(".swift") }
  }

  let files: [File]

  static let shared = Result { try Checkout() }

  private init() throws {
    let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    files = try Self.list(top).compactMap { path in
      let url = top.appending(path: path)
      // Listed and gone: removed, not committed yet.
      guard FileManager.default.fileExists(atPath: url.path) else { return nil }
      let text = String(decoding: try Data(contentsOf: url), as: UTF8.self)
      return File(path: path, lines: text.split(separator: "\n", omittingEmptySubsequences: false))
    }
  }

  private static func list(_ top: URL) throws -> [String] {
    let git = Process()
    git.executableURL = URL(filePath: "/usr/bin/env")
    git.arguments = ["git", "-C", top.path, "ls-files", "--cached", "--others", "--exclude-standard"]
    let output = Pipe()
    git.standardOutput = output
    try git.run()
    let listing = try output.fileHandleForReading.readToEnd() ?? Data()
    git.waitUntilExit()
    guard git.terminationStatus == 0 else { throw CocoaError(.fileReadUnknown) }
    return String(decoding: listing, as: UTF8.self).split(separator: "\n").map(String.init)
  }

  func file(_ path: String) -> File? { files.first { $0.path == path } }

  func swiftFiles(under folders: String...) -> [File] {
    files.filter { file in file.isSwift && folders.contains { file.isUnder($0) } }
  }

  /// The names of the folders directly in a folder.
  func folders(in folder: String) -> Set<String> {
    Set(
      files.filter { $0.isUnder(folder) }.compactMap { file in
        let rest = file.path.dropFirst(folder.count + 1).split(separator: "/")
        return rest.count > 1 ? String(rest[0]) : nil
      })
  }
}

extension Checkout: CustomStringConvertible {
  /// Short, for a failed expectation prints it.
  var description: String { "the checkout" }
}

extension Checkout.File {
  /// `path:line` of each line that the test holds for.
  func places(_ holds: (Substring) -> Bool) -> [String] {
    lines.indices.filter { holds(lines[$0]) }.map { "\(path):\($0 + 1)" }
  }
}
