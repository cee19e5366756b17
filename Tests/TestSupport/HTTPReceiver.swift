import JSON

/// A real HTTP and HTTPS server on 127.0.0.1 that records every request and answers as a test tells it; 200 by itself.
package final class HTTPReceiver {
  /// Who vouches for the server.
  package let authority: TestAuthority
  /// The address of the HTTPS server, `https://localhost:PORT`.
  package let url: String
  /// The address of the HTTP server, `http://127.0.0.1:PORT`.
  package let plainURL: String
  private let process: ReceiverProcess

  /// A request as it came.
  package struct Request {
    /// The request method.
    package let method: String
    /// Path and query as they were sent.
    package let path: String
    /// The header fields, names in lower case.
    package let headers: [String: String]
    /// The body.
    package let body: [UInt8]
    /// When it came, in Unix seconds.
    package let time: Double
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// The port that it came from: two requests with the same came over one connection.
    package let clientPort: Int
  }

  /// How to answer a request.
  package struct Answer {
    /// How an answer goes on behind its header.
    package enum Ending: String {
      /// With the whole body.
      case whole
      /// There is not even a header: the server is silent for ever.
      case hang
      /// There is not even a header: the connection is closed.
      case drop
      /// The connection is closed before the body's end.
      case cut
      /// The body stops before its end, and the connection stays.
      case stall
      /// The body never ends.
      case flood
      /// The header never ends.
      case fields
      /// The body alone is sent, whatever it is, and the connection is closed.
      case bytes
      /// The whole answer comes byte by byte, a hundred a second, and the connection is closed.
      case trickle
      /// There is not even a header: the connection is reset.
      case reset
      /// The body is `I got […]`, with the request's header in the encoding that was to be the body: `plain`, `base64`,
      /// `base64url`, `base64lines`, `percent`, `form` or `json`.
      case echo
    }

    let status: Int
    let headers: [(String, String)]
    let body: [UInt8]
    let delay: Int
    let ending: Ending

    /// An answer after a number of seconds.
    package init(
      _ status: Int = 200, headers: [(String, String)] = [], body: [UInt8] = [], afterSeconds delay: Int = 0,
      ending: Ending = .whole
    ) {
      self.status = status
      self.headers = headers
      self.body = body
      self.delay = delay
      self.ending = ending
    }
  }

  /// Starts the server, known by the authority's certificate for it, or by one with a flaw.
  package init(authority: TestAuthority? = nil, flaw: TestAuthority.Flaw? = nil) throws {
    let authority = try authority ?? TestAuthority()
    let files = try flaw.map { try authority.serverFiles(with: $0) } ?? authority.serverFiles
    self.authority = authority
    process = try ReceiverProcess(script: "http_receiver.py", arguments: [files.certificate, files.key])
    let ports = try process.ports()
    url = "https://localhost:\(ports["https"]?.integer ?? 0)"
    plainURL = "http://127.0.0.1:\(ports["http"]?.integer ?? 0)"
  }

  /// Has the next requests for a path answered so, one after the other; the last answer is that to all further ones.
  package func answer(_ path: String, with answers: Answer...) throws {
    let list = answers.map { answer -> JSONValue in
      let headers = answer.headers.map { JSONValue.array([.string($0.0), .string($0.1)]) }
      return [
        "status": .number(JSONNumber(answer.status)), "headers": .array(headers), "body": .latin1(answer.body),
        "delay": .number(JSONNumber(answer.delay)), "ending": .string(answer.ending.rawValue),
      ]
    }
    try process.tell(["path": .string(path), "answers": .array(list)])
  }

  /// The requests so far, in the order in which they came; those for one path, or all.
  package func requests(to path: String? = nil) throws -> [Request] {
    try process.records(of: "request").compactMap { record in
      guard let record = record.object, path == nil || record["path"]?.string == path else { return nil }
      return Request(record)
    }
  }

  /// Waits until there have been so many requests for a path.
  package func waitForRequests(_ count: Int, to path: String? = nil, within seconds: Int = 60) throws -> [Request] {
    try process.wait(within: seconds) {
      let requests = try self.requests(to: path)
      return requests.count >= count ? requests : nil
    }
  }
}

extension HTTPReceiver.Request {
  fileprivate init(_ record: JSONObject) {
    method = record["method"]?.string ?? ""
    path = record["path"]?.string ?? ""
    let fields: [(String, String)] =
      record["headers"]?.elements.map { field in
        (field.elements.first?.string?.lowercased() ?? "", field.elements.last?.string ?? "")
      } ?? []
    headers = Dictionary(fields) { "\($0), \($1)" }
    body = record["body"]?.latin1 ?? []
    time = record["time"]?.string.flatMap(Double.init) ?? 0
    isSecure = record["isSecure"] == true
    clientPort = record["clientPort"]?.integer ?? 0
  }
}

extension JSONValue {
  /// The elements of an array.
  var elements: [JSONValue] { if case .array(let elements) = self { elements } else { [] } }

  /// A number that is an integer.
  var integer: Int? { if case .number(let number) = self { Int(number.text) } else { nil } }
}
