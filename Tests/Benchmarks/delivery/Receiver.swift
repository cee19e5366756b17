import Glibc

/// An HTTP server on 127.0.0.1 that costs little: it answers 200 at once to every request but those whose path begins with
/// `/hang`, which it never answers. It tells its port in its first line; when its standard input ends, a line for each request:
/// path, `webhook-id` and, where the event has a `sent_at`, the microseconds since then.
struct Receiver {
  private static let answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".utf8)

  private let listener = socket(AF_INET, CInt(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
  private var received: [CInt: [UInt8]] = [:]
  private var report: [UInt8] = []

  /// Serves until standard input ends.
  static func run() {
    var receiver = Receiver()
    receiver.listen()
    receiver.serve()
    receiver.report.withUnsafeBytes { bytes in
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = write(1, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        guard count > 0 else { return }
        rest = rest.dropFirst(count)
      }
    }
  }

  /// The clock of `sent_at`: microseconds since 1970.
  static var now: Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
  }

  private func listen() {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        precondition(bind(listener, address, length) == 0 && Glibc.listen(listener, 1024) == 0, "cannot listen")
        getsockname(listener, address, &length)
      }
    }
    print(UInt16(bigEndian: address.sin_port))
    fflush(nil)
  }

  private mutating func serve() {
    while true {
      var waits = ([0, listener] + received.keys).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
      poll(&waits, nfds_t(waits.count), -1)
      for wait in waits where wait.revents != 0 {
        switch wait.fd {
        case 0: return
        case listener: accept()
        default: read(from: wait.fd)
        }
      }
    }
  }

  private mutating func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      if connection < 0 { return }
      var isOn: CInt = 1
      setsockopt(connection, CInt(IPPROTO_TCP), TCP_NODELAY, &isOn, 4)
      received[connection] = []
    }
  }

  private mutating func read(from connection: CInt) {
    let count = Glibc.read(connection, buffer.baseAddress, buffer.count)
    guard count > 0 else {
      close(connection)
      received[connection] = nil
      return
    }
    var bytes = received[connection, default: []]
    received[connection] = []
    bytes += buffer[..<count]
    while let end = bytes.withUnsafeBytes({ take($0, from: connection) }) { bytes.removeFirst(end) }
    received[connection] = bytes
  }

  /// Takes a request down and answers it; its length, or nil while it is not whole.
  private mutating func take(_ bytes: UnsafeRawBufferPointer, from connection: CInt) -> Int? {
    guard let header = Self.text(behind: "\r\n\r\n", in: bytes[...])?.startIndex else { return nil }
    let lines = bytes[..<header]
    let end = header + (Self.number(behind: "Content-Length: ", in: lines) ?? 0)
    guard bytes.count >= end else { return nil }
    let path = lines.drop { $0 != 0x20 }.dropFirst().prefix { $0 != 0x20 }
    let latency = Self.number(behind: "\"sent_at\":", in: bytes[header..<end]).map { Self.now - $0 } ?? 0
    report += path
    report.append(0x20)
    report += Self.text(behind: "webhook-id: ", in: lines)?.prefix { $0 > 0x20 } ?? bytes[..<0]
    report += " \(latency)\n".utf8
    if !path.starts(with: "/hang".utf8) { _ = Glibc.write(connection, Self.answer, Self.answer.count) }
    return end
  }

  private static func text(
    behind name: StaticString, in bytes: Slice<UnsafeRawBufferPointer>
  ) -> Slice<UnsafeRawBufferPointer>? {
    let first = CInt(name.utf8Start[0])
    let length = name.utf8CodeUnitCount
    var rest = UnsafeRawBufferPointer(rebasing: bytes)
    while let start = rest.baseAddress, let found = memchr(start, first, rest.count) {
      let offset = UnsafeRawPointer(found) - start
      rest = UnsafeRawBufferPointer(rebasing: rest[offset...])
      if rest.count < length { return nil }
      if memcmp(found, name.utf8Start, length) == 0 { return bytes[(bytes.endIndex - rest.count + length)...] }
      rest = UnsafeRawBufferPointer(rebasing: rest[1...])
    }
    return nil
  }

  private static func number(behind name: StaticString, in bytes: Slice<UnsafeRawBufferPointer>) -> Int? {
    text(behind: name, in: bytes)?.prefix { (0x30...0x39).contains($0) }.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }
}
