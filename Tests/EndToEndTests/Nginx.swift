import Foundation
import TestSupport

/// An nginx beside an instance's own: on another port, with the same configuration but for some edits, before the same workers.
final class Nginx {
  let port: Int
  private let folder: TemporaryFolder
  private let program: Program

  /// Starts it. Each edit replaces a text that has to be there; `tls` is what comes before the server block, for one that speaks TLS.
  init(of instance: Instance, edits: [(old: String, new: String)] = [], tls: String? = nil) async throws {
    port = Instance.freePort()
    folder = try TemporaryFolder()
    let read = { (path: String) in try String(contentsOfFile: path, encoding: .utf8) }
    let address = "127.0.0.1:\(instance.port)"
    let listen = (old: address, new: "127.0.0.1:\(port)" + (tls == nil ? "" : " ssl"))
    let server = try ([listen] + edits).reduce(read(instance.state + "/server.conf")) { text, edit in
      guard text.contains(edit.old) else { throw Overdue(description: "server.conf has no \(edit.old)") }
      return text.replacing(edit.old, with: edit.new)
    }
    try ((tls ?? "") + server).write(toFile: folder.path + "/server.conf", atomically: true, encoding: .utf8)
    try read(instance.state + "/nginx.conf")
      .replacing("include \(instance.state)/server.conf", with: "include \(folder.path)/server.conf")
      .replacing(#/pid \S+;/#, with: "pid \(folder.path)/nginx.pid;")
      .replacing(#/access_log [^;]+;/#, with: "access_log off;")
      .write(toFile: folder.path + "/nginx.conf", atomically: true, encoding: .utf8)
    program = try Program("/usr/sbin/nginx", arguments: ["-c", folder.path + "/nginx.conf"])
    try await wait(upTo: 30, for: "nginx: \(program.standardError)") { (try? RawClient(port: port)) != nil }
  }

  /// Waits for it to end: a master that is killed would leave its workers behind, and it takes a file out of the folder as it goes.
  deinit {
    program.signal(SIGTERM)
    _ = program.ending(within: 10)
  }
}
