import ArgumentParser
import Curl
import Delivery
import Glibc
import Host

/// Sends events to a running service, as a client would.
struct Send: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Send events to a running service.",
    discussion: """
      The file holds one JSON object, an array of them, or NDJSON with one object a line. The key is that of \
      ALERTING_API_KEY, or the first line of --key-file: other users of the machine could read it on the command line.
      """)

  @Argument(help: "The file with the events; - is standard input.")
  var file: String

  @Option(help: "Where the service is.")
  var url = "http://127.0.0.1:8001"

  @Option(help: "A file with the API key, such as .local/api-key.")
  var keyFile: String?

  @Option(help: "Seconds to wait for the answer.")
  var timeout = 60

  func run() throws {
    let events = try File.read(file == "-" ? "/dev/stdin" : file)
    let request = HTTPTransfer(
      url: url + "/api/v1/alerts/process-event",
      headers: [
        .init(name: "Content-Type", value: Self.contentType(of: events)),
        .init(name: "Authorization", value: "Bearer \(try key())"),
      ],
      body: events, timeoutSeconds: timeout)
    switch try Self.reply(to: request) {
    case .http(let reply):
      let answer = String(decoding: reply.body, as: UTF8.self)
      guard reply.status == 200 || reply.status == 202 else {
        throw Failure("the service answered \(reply.status): \(answer)")
      }
      print(answer)
    case .failure(let failure): throw Failure("the service at \(url) did not answer: \(failure.detail)")
    case .mail: preconditionFailure("an HTTP transfer has an HTTP reply")
    }
  }

  private func key() throws -> String {
    if let keyFile {
      let text = String(decoding: try File.read(keyFile, limit: 4096), as: UTF8.self)
      return text.split(separator: "\n").first.map(String.init) ?? ""
    }
    guard let key = Environment["ALERTING_API_KEY"], !key.isEmpty else {
      throw Failure("there is no key: set ALERTING_API_KEY or name a file with --key-file")
    }
    return key
  }

  /// NDJSON if it begins with a whole object in its first line and goes on; JSON otherwise.
  private static func contentType(of events: [UInt8]) -> String {
    let lines = events.split(separator: UInt8(ascii: "\n"), maxSplits: 2)
    let isLines = lines.count > 1 && lines.prefix(2).allSatisfy { $0.first == UInt8(ascii: "{") }
    return isLines ? "application/x-ndjson" : "application/json"
  }

  /// The answer, wherever the operator sends it: what deliveries may not reach is no matter here.
  private static func reply(to request: HTTPTransfer) throws -> Reply {
    let queue = try TransferQueue<Void>(addresses: .everywhere)
    queue.add(.http(request), tag: ())
    while true {
      if let finished = try queue.wait(seconds: 60).first { return finished.reply }
    }
  }
}
