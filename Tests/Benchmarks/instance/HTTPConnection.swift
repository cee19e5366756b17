import Glibc

/// A connection that does not work as it should.
package struct ConnectionFailed: Error, CustomStringConvertible {
  package let description: String

  init(_ attempt: String) { description = "cannot \(attempt): \(String(cString: strerror(errno)))" }
}

/// One connection to a web server on this machine, which is kept.
package final class HTTPConnection {
  private let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)

  /// Connects to a port of 127.0.0.1.
  package init(port: Int) throws {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = UInt16(port).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard isConnected else { throw ConnectionFailed("connect to port \(port)") }
  }

  deinit { close(descriptor) }

  /// The answer to a whole request, head and content.
  package func answer(to request: [UInt8]) throws -> String {
    try request.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = send(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent, Int32(MSG_NOSIGNAL))
        guard count > 0 else { throw ConnectionFailed("send a request") }
        sent += count
      }
    }
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    repeat {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { throw ConnectionFailed("receive an answer") }
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
