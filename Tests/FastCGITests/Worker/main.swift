import FastCGI
import Glibc

/// A worker for the tests: tells what it received, and waits in the middle of a request where the path says so.
func answer(_ request: Request) -> Response {
  switch request.path {
  case "/wait":
    waitForTest(at: request.query)
    return Response(.ok, body: Array("waited".utf8))
  case "/pause":
    // Whoever prefers a pipe knows by its other end that the request is in hand.
    if let pipe = request.prefer { close(open(pipe, O_RDONLY)) }
    for _ in 0..<(Int(request.query) ?? 0) {
      if !request.pause(0.1) { return Response(.ok, body: Array("wanted".utf8)) }
    }
    return Response(.ok, body: Array("left alone".utf8))
  case "/big":
    return Response(.ok, body: [UInt8](repeating: 0x62, count: 3_000_000))
  case "/none":
    return Response(.noContent)
  case "/split":
    return Response(.ok, headers: [("X-Text", "a\r\nX-Forged: b\0c")])
  default:
    return Response(.ok, headers: [("Content-Type", "text/plain")], body: Array(description(of: request).utf8))
  }
}

/// Opening a named pipe lasts until the test opens its other end, and reading from it until the test closes that.
func waitForTest(at path: String) {
  let pipe = open(path, O_RDONLY)
  var byte: UInt8 = 0
  while read(pipe, &byte, 1) > 0 {}
  close(pipe)
}

func description(of request: Request) -> String {
  let body = description(of: request.body, inPieces: request.prefer)
  let headers = [request.authorization, request.contentType, request.contentEncoding, request.prefer, request.id]
  let values = (headers + [request.remoteAddress]).map { $0 ?? "-" }.joined(separator: "|")
  return "\(request.method) \(request.path) ? \(request.query) | \(values) | \(body)"
}

/// Reads the body in pieces of as many bytes as the request prefers, or all at once.
func description(of body: Body, inPieces size: String?) -> String {
  do throws(BodyError) {
    var bytes: [UInt8] = []
    if let size = size.flatMap({ Int($0) }) {
      let memory = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: size)
      defer { memory.deallocate() }
      var count = size
      while count == size {
        count = try body.read(into: memory)
        bytes += memory[..<count]
      }
    } else {
      bytes = try body.rest()
    }
    return "\(bytes.count) bytes, sum \(bytes.reduce(0) { $0 + Int($1) })"
  } catch {
    switch error {
    case .tooLarge(let limit): return "more than \(limit)"
    case .incomplete: return "incomplete"
    }
  }
}

/// Has requests answered together, each with how many they are.
final class Gathering {
  private var count = 0
  private var isOver = false

  func add() -> () -> Response {
    if isOver { (count, isOver) = (0, false) }
    count += 1
    return { [self] in
      isOver = true
      return Response(.ok, body: Array("one of \(count)".utf8))
    }
  }
}

let gathering = Gathering()

do {
  try Server.run(bodyLimit: 1_000_000, joins: { $0.path == $1.path }) { request in
    if request.path == "/together", request.query != "alone" { return .together(gathering.add()) }
    if request.path.hasPrefix("/whose") {
      if !request.query.isEmpty { waitForTest(at: request.query) }
      return .together { Response(.ok, body: Array("\(getpid())".utf8)) }
    }
    return .alone { answer(request) }
  }
} catch {
  perror("\(error)")
  exit(64)
}
