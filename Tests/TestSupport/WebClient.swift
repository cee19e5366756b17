import Glibc

/// A listening unix socket for FastCGI workers to be started on, and the web server's side of the protocol.
///
/// Facts: FastCGI Specification 1.0, sections 3.3 and 5.
package final class FastCGISocket {
  /// Open, listening and not inherited; hand it to workers as standard input.
  package let descriptor: CInt
  private let path: String

  /// Listens at a path, or at one of its own in the temporary directory.
  package init(at path: String? = nil) throws {
    self.path = try path ?? Self.freePath()
    descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    let bound = Self.withAddress(self.path) { bind(descriptor, $0, $1) }
    guard bound == 0, listen(descriptor, 128) == 0 else { throw SystemFailure("listen on \(self.path)", errno) }
  }

  private static func freePath() throws -> String {
    var name = Array("/tmp/tocsin-socket-XXXXXX".utf8CString)
    let file = mkstemp(&name)
    guard file >= 0 else { throw SystemFailure("make a socket's name", errno) }
    close(file)
    let path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    unlink(path)
    return path
  }

  deinit {
    close(descriptor)
    unlink(path)
  }

  /// Sends a request and waits for its whole answer.
  package func answer(to parameters: [String: String], body: [UInt8] = []) throws -> WebAnswer {
    let connection = try connect()
    try connection.send(FastCGIRecord.request(parameters, body: body))
    return try WebAnswer(cgi: connection.output())
  }

  /// Connects as a web server does for one request.
  package func connect() throws -> FastCGIConnection {
    let connection = FastCGIConnection()
    guard Self.withAddress(path, { Glibc.connect(connection.descriptor, $0, $1) }) == 0 else {
      throw SystemFailure("connect to \(path)", errno)
    }
    return connection
  }

  private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> CInt) -> CInt {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
    }
  }
}

/// One connection of a web server to a worker.
package final class FastCGIConnection {
  fileprivate let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)

  /// An answer that stays away for longer than two minutes fails its test, where waiting on would hang all of them.
  init() {
    var patience = timeval(tv_sec: 120, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit { close(descriptor) }

  /// Sends records, or pieces of them.
  package func send(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
      // A worker that has answered already, or will not read all of it, is seen in what it answers.
      if count < 0 && (errno == EPIPE || errno == ECONNRESET) { return }
      guard count > 0 else { throw SystemFailure("send a request", errno) }
      rest = rest.dropFirst(count)
    }
  }

  /// The standard output of the worker, read until it says that the request has ended.
  package func output() throws -> [UInt8] {
    var output: [UInt8] = []
    while true {
      let header = try read(8)
      let length = Int(header[4]) << 8 | Int(header[5])
      let content = try read(length + Int(header[6])).prefix(length)
      switch FastCGIRecord(rawValue: header[1]) {
      case .standardOutput: output += content
      case .endRequest: return output
      default: break
      }
    }
  }

  /// Waits for the worker to say no more, and tells whether it listens still.
  package func listensAtEnd() throws -> Bool {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, 0)
    guard count == 0 else { throw SystemFailure("read the end of an answer", count > 0 ? 0 : errno) }
    return Glibc.send(descriptor, &byte, 1, CInt(MSG_NOSIGNAL)) == 1
  }

  private func read(_ count: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      var buffer = [UInt8](repeating: 0, count: count - bytes.count)
      let got = recv(descriptor, &buffer, buffer.count, 0)
      guard got > 0 else { throw SystemFailure("read an answer", got == 0 ? ECONNRESET : errno) }
      bytes += buffer[..<got]
    }
    return bytes
  }
}

/// The types of records, and their bytes.
package enum FastCGIRecord: UInt8 {
  case beginRequest = 1
  case endRequest = 3
  case parameters = 4
  case standardInput = 5
  case standardOutput = 6

  /// A record, or as many as the content needs, which then do not end its stream.
  package func bytes(_ content: [UInt8]) -> [UInt8] {
    if content.isEmpty { return [1, rawValue, 0, 1, 0, 0, 0, 0] }
    return stride(from: 0, to: content.count, by: 65535).flatMap { start in
      let part = content[start..<min(start + 65535, content.count)]
      return [1, rawValue, 0, 1, UInt8(part.count >> 8), UInt8(part.count & 0xFF), 0, 0] + part
    }
  }

  /// All the records of one request.
  package static func request(_ parameters: [String: String], body: [UInt8]) -> [UInt8] {
    let pairs = parameters.flatMap { name, value in
      length(name.utf8.count) + length(value.utf8.count) + Array(name.utf8) + Array(value.utf8)
    }
    let begin = beginRequest.bytes([0, 1, 0, 0, 0, 0, 0, 0])
    let named = Self.parameters.bytes(pairs) + Self.parameters.bytes([])
    return begin + named + (body.isEmpty ? [] : standardInput.bytes(body)) + standardInput.bytes([])
  }

  private static func length(_ count: Int) -> [UInt8] {
    count < 128 ? [UInt8(count)] : [UInt8(count >> 24 & 0x7F | 0x80)] + [16, 8, 0].map { UInt8(count >> $0 & 0xFF) }
  }
}

/// What a program of ours answered, read from its CGI response.
package struct WebAnswer: Sendable {
  /// The status code.
  package let status: Int
  /// The headers by name in lower case.
  package let headers: [String: String]
  /// The content.
  package let body: [UInt8]

  /// Reads a CGI response (RFC 3875, section 6); throws what it says instead if it is none.
  package init(cgi response: [UInt8]) throws {
    var rest = response[...]
    var headers: [String: String] = [:]
    while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
      let line = rest[rest.startIndex..<end].dropLast()
      rest = rest[(end + 1)...]
      if line.isEmpty { break }
      let name = line.prefix { $0 != UInt8(ascii: ":") }
      headers[String(decoding: name, as: UTF8.self).lowercased()] =
        String(decoding: line.dropFirst(name.count + 2), as: UTF8.self)
    }
    guard let status = headers["status"].flatMap({ Int($0.prefix(3)) }) else {
      throw NoAnswer(description: "no CGI response: " + String(decoding: response, as: UTF8.self))
    }
    self.status = status
    self.headers = headers
    body = Array(rest)
  }

  /// The content as text.
  package var text: String { String(decoding: body, as: UTF8.self) }

  private struct NoAnswer: Error, CustomStringConvertible {
    let description: String
  }
}
