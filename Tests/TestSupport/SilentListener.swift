import Glibc

/// A port of 127.0.0.1 that takes connections and never says a word.
package final class SilentListener {
  /// The port.
  package let port: Int
  private let descriptor: CInt

  /// Listens.
  package init() throws {
    descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let code = withUnsafeMutablePointer(to: &address) { [descriptor] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
        bind(descriptor, general, length) == 0 && listen(descriptor, 16) == 0
          && getsockname(descriptor, general, &length) == 0
      }
    }
    port = Int(UInt16(bigEndian: address.sin_port))
    guard code else { throw SystemFailure("listen", errno) }
  }

  deinit { close(descriptor) }

  /// Breaks all connections and takes no more.
  package func stop() { shutdown(descriptor, CInt(SHUT_RDWR)) }
}
