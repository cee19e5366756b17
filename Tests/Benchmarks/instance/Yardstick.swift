import Foundation
import Glibc

/// Workers to measure against, behind the same nginx: a route is found by the name of its socket, so theirs is put beside the others.
package final class Yardstick {
  private var workers: [Process] = []
  private let program: URL
  private let socketPath: String

  /// Starts so many workers of the program `<route>-benchmark`, which stands beside the one that runs.
  package init(_ route: String, in instance: Instance, workers count: Int) throws {
    let built = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent(
      "\(route)-benchmark")
    program = URL(fileURLWithPath: instance.program(of: route))
    try? FileManager.default.removeItem(at: program)
    try FileManager.default.copyItem(at: built, to: program)
    socketPath = instance.state.appendingPathComponent("run/\(route).sock").path
    let listener = try Self.listen(at: socketPath)
    for _ in 0..<count {
      let worker = Process()
      worker.executableURL = program
      worker.environment = ["ALERTING_DATABASE_URL": instance.database]
      worker.standardInput = FileHandle(fileDescriptor: listener)
      try worker.run()
      workers.append(worker)
    }
    close(listener)
  }

  /// Ends the workers.
  package func stop() {
    for worker in workers {
      worker.terminate()
      worker.waitUntilExit()
    }
    unlink(socketPath)
  }

  private static func listen(at path: String) throws -> Int32 {
    unlink(path)
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let size = socklen_t(MemoryLayout<sockaddr_un>.size)
    let isBound = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(listener, $0, size) == 0 }
    }
    guard isBound, Glibc.listen(listener, 1024) == 0 else {
      throw CommandFailed(command: "listen on \(path)", output: String(cString: strerror(errno)))
    }
    chmod(path, 0o666)
    return listener
  }
}
