import Glibc

/// The same program started once per request, RFC 3875: slower, and at home on every web server.
enum PlainCGI {
  static func run(bodyLimit: Int, answer: (Request) -> Response) throws(ServerError) {
    var variables: [Variable: String] = [:]
    for variable in Variable.allCases {
      if let value = getenv(variable.rawValue), value.pointee != 0 { variables[variable] = String(cString: value) }
    }
    var request = Request(variables)
    guard !request.method.isEmpty else { throw ServerError.notStartedByWebServer }
    let announced = variables[.contentLength]
    // Without a length, what is to come ends with the input (a chunked upload under Apache); a GET brings nothing.
    if announced != nil || request.method == "POST" || request.method == "PUT" {
      request.body = Body(limit: bodyLimit, announced: announced, fill: fill)
    }
    let response = answer(request)
    // The web server that closed the pipe has no more use for the answer.
    signal(SIGPIPE, SIG_IGN)
    write(response.head)
    if request.method != "HEAD" { write(response.body) }
    // One socket may be the input and the output (Apache's cgid): to close it with something unread in it cuts the answer off.
    request.body.drop()
  }

  private static func fill(_ buffer: UnsafeMutableBufferPointer<UInt8>) -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = read(STDIN_FILENO, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
      if count > 0 {
        filled += count
      } else if count == 0 || errno != EINTR {
        break
      }
    }
    return filled
  }

  private static func write(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
      if count > 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        return
      }
    }
  }
}
