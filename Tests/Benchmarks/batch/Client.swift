import BenchmarkInstance
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
