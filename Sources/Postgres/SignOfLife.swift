import Glibc

/// Whether a server that owes an answer on a socket gives no sign of life for so many seconds: no byte of the answer, and nobody
/// who takes up a second connection to the same address.
///
/// The second connection says nothing and is closed for writing at once. A server that lives notices and closes it as well, also
/// while it starts, is full or shuts down, and logs nothing, as with the health checks of load balancers. Whoever has stopped, or
/// whose network is gone, does not. Behind a pooler that says that the pooler lives and no more.
func isLifeless(server socket: CInt, for seconds: Double) -> Bool {
  guard let peer = Peer(of: socket) else { return false }
  let probe = Glibc.socket(peer.family, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard probe >= 0 else { return false }
  defer { close(probe) }
  let deadline = Deadline(seconds: seconds)
  let microseconds = Int(seconds * 1e6)
  var limit = timeval(tv_sec: microseconds / 1_000_000, tv_usec: microseconds % 1_000_000)
  setsockopt(probe, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  guard peer.connect(probe) == 0 else {
    return errno != EINTR && wait(for: socket, until: deadline, atMost: 0) != .ready
  }
  shutdown(probe, CInt(SHUT_WR))
  var sockets = [probe, socket].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
  return poll(&sockets, nfds_t(sockets.count), deadline.milliseconds) == 0
}

/// The address at the other end of a socket.
private struct Peer {
  private var address = sockaddr_storage()
  private var length = socklen_t(MemoryLayout<sockaddr_storage>.size)

  var family: CInt { CInt(address.ss_family) }

  /// Nil where there is none that leads there: a unix socket's path may be relative to the server's directory.
  init?(of socket: CInt) {
    let length = length
    let isKnown = withUnsafeMutablePointer(to: &address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket, $0, &self.length) == 0 }
    }
    guard isKnown, self.length <= length else { return nil }
    if family == AF_UNIX {
      let start = withUnsafeBytes(of: address) { $0[MemoryLayout<sa_family_t>.size] }
      guard start == 0 || start == UInt8(ascii: "/") else { return nil }
    }
  }

  func connect(_ socket: CInt) -> CInt {
    withUnsafePointer(to: address) { address in
      address.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.connect(socket, $0, length) }
    }
  }
}
