import Glibc
import TestSupport

/// A connection to a web server of this machine, over which goes what the test says and nothing else.
final class RawClient {
  private let descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

  /// Connects to a port of 127.0.0.1, from an address of this machine, of which all that begin with 127 are.
  init(port: Int, from source: String = "127.0.0.1") throws {
    let isConnected =
      Self.withAddress(source, port: 0) { bind(descriptor, $0, $1) } == 0
      && Self.withAddress("127.0.0.1", port: port) { connect(descriptor, $0, $1) } == 0
    guard isConnected else { throw SystemFailure("connect to port \(port)", errno) }
    // An answer that stays away for two minutes fails its test, where waiting on would hang all of them.
    var patience = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// Sends bytes; false where the server has closed the connection.
  @discardableResult
  func send(_ text: String) -> Bool { send(Array(text.utf8)) }

  @discardableResult
  func send(_ bytes: [UInt8]) -> Bool {
    bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) } == bytes.count
  }

  /// Whether the server has answered, or closed the connection.
  var isAnswered: Bool {
    var byte: UInt8 = 0
    return recv(descriptor, &byte, 1, CInt(MSG_PEEK | MSG_DONTWAIT)) >= 0 || (errno != EAGAIN && errno != EINTR)
  }

  /// All that the server says until it closes the connection, as a request with `Connection: close` asks it to.
  func answer() throws -> String {
    var answer: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      if count == 0 || (count < 0 && errno == ECONNRESET) { return String(decoding: answer, as: UTF8.self) }
      guard count > 0 else { throw SystemFailure("read an answer", errno) }
      answer += buffer[..<count]
    }
  }

  /// The answer to one whole request.
  func answer(to request: String) throws -> String {
    send(request)
    return try answer()
  }

  private static func withAddress(_ host: String, port: Int, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt)
    -> CInt
  {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr(host)
    address.sin_port = UInt16(port).bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
  }
}
