import BenchmarkInstance
import Glibc
import TestSupport

/// A client that posts one body again and again over connections that it keeps: a thread each, and no work but to send and to
/// receive.
struct Client {
  /// Where nginx listens.
  let port: Int
  /// Connections that are kept open.
  static let connections = 4

  /// Sends the body so many times over each connection and answers the seconds that it took. Any answer but 200, or one
  /// without these words, is a failure of the benchmark.
  func post(_ body: Body, to path: String, key: String, times: Int, expecting words: String) throws -> Double {
    let head = """
      POST \(path) HTTP/1.1\r
      Host: 127.0.0.1\r
      Authorization: Bearer \(key)\r
      Content-Type: \(body.type)\r
      Content-Length: \(body.bytes.count)\r
      \r

      """
    let request = Array(head.utf8) + body.bytes
    let start = ContinuousClock.now
    _ = try onThreads(Self.connections) { _ in
      let connection = try HTTPConnection(port: port)
      for _ in 0..<times {
        let answer = try connection.answer(to: request)
        guard answer.hasPrefix("HTTP/1.1 200"), answer.contains(words) else {
          throw CommandFailed(command: "POST \(path)", output: String(answer.prefix(2000)))
        }
      }
    }
    let time = (ContinuousClock.now - start).components
    return Double(time.seconds) + Double(time.attoseconds) / 1e18
  }
}

/// One connection to a web server on this machine.
private final class HTTPConnection {
  private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

  init(port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = UInt16(port).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw SystemFailure("connect to port \(port)", errno) }
  }

  deinit { close(descriptor) }

  /// The answer, head and content.
  func answer(to request: [UInt8]) throws -> String {
    try request.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        guard count > 0 else { throw SystemFailure("send a request", errno) }
        sent += count
      }
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    repeat {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { throw SystemFailure("receive an answer", errno) }
      answer += buffer[..<count]
    } while !Self.isWhole(answer)
    return String(decoding: answer, as: UTF8.self)
  }

  private static func isWhole(_ answer: [UInt8]) -> Bool {
    let text = String(decoding: answer.prefix(4096), as: UTF8.self)
    guard let end = text.utf8.firstRange(of: "\r\n\r\n".utf8),
      let length = text.firstMatch(of: #/\r\nContent-Length: (\d+)\r\n/#).flatMap({ Int($0.1) })
    else { return false }
    return answer.count >= text.utf8.distance(from: text.startIndex, to: end.upperBound) + length
  }
}
