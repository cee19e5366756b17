/// What goes back to the web server for one request.
package struct Response: Sendable {
  /// The status of the answer.
  package var status: Status
  /// Headers in order, without `Status` and `Content-Length`, which the server adds.
  package var headers: [(name: String, value: String)]
  /// The content; empty for none.
  package var body: [UInt8]

  /// An answer.
  package init(_ status: Status, headers: [(name: String, value: String)] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The header block of a CGI response (RFC 3875, section 6.3), with the empty line that ends it.
  ///
  /// Control characters in a value become spaces, so no value can begin a header of its own.
  package var head: [UInt8] {
    var text = Array("Status: \(status.rawValue) \(status.reason)\r\n".utf8)
    for (name, value) in headers {
      text += name.utf8
      text += ": ".utf8
      text += value.utf8.lazy.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }
      text += "\r\n".utf8
    }
    if status != .noContent { text += "Content-Length: \(body.count)\r\n".utf8 }
    text += "\r\n".utf8
    return text
  }
}
