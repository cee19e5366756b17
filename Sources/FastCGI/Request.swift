import Glibc

/// One HTTP request, as far as anything here uses it.
package struct Request {
  /// The method as it was sent: `GET`.
  package var method = ""
  /// The path as it was sent, percent-encoding and all, without the query: `/api/v1/alerts/policies/a%20b`.
  package var path = ""
  /// The query as it was sent, without its `?`; empty if there is none.
  package var query = ""
  /// The value of `Authorization`.
  package var authorization: String?
  /// The value of `Content-Type`.
  package var contentType: String?
  /// The value of `Content-Encoding`.
  package var contentEncoding: String?
  /// The value of `Prefer`.
  package var prefer: String?
  /// What the web server calls this request in its own log, if it said so.
  package var id: String?
  /// The address that the request came from.
  package var remoteAddress: String?
  /// The content, to be read before the answer is given; empty if none was sent.
  package var body = Body()
  /// Waits for a number of seconds, or less. False as soon as the worker is wanted elsewhere: a request is queued that no other
  /// worker takes, or the process has been asked to end. Who waits for something then answers with what there is.
  package var pause: (_ seconds: Double) -> Bool = { seconds in
    usleep(useconds_t(seconds * 1_000_000))
    return true
  }

  /// A request with nothing set.
  package init() {}
}

/// The CGI variables (RFC 3875, section 4.1) that a request is made of. `nginx/tocsin_params` passes those that nginx has.
enum Variable: String, CaseIterable {
  case method = "REQUEST_METHOD"
  case uri = "REQUEST_URI"
  case scriptName = "SCRIPT_NAME"
  case pathInfo = "PATH_INFO"
  case query = "QUERY_STRING"
  case contentType = "CONTENT_TYPE"
  case contentLength = "CONTENT_LENGTH"
  case contentEncoding = "HTTP_CONTENT_ENCODING"
  case authorization = "HTTP_AUTHORIZATION"
  case prefer = "HTTP_PREFER"
  case requestID = "HTTP_X_REQUEST_ID"
  case remoteAddress = "REMOTE_ADDR"
}

extension Request {
  /// The request that CGI variables describe, its content not yet read.
  init(_ variables: [Variable: String]) {
    method = variables[.method] ?? ""
    if let uri = variables[.uri] {
      let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
      path = String(parts[0])
      query = parts.count > 1 ? String(parts[1]) : ""
    } else {
      // A server that keeps to RFC 3875 alone passes the path in two parts, both decoded.
      path = Self.percentEncoded((variables[.scriptName] ?? "") + (variables[.pathInfo] ?? ""))
      query = variables[.query] ?? ""
    }
    contentType = variables[.contentType]
    contentEncoding = variables[.contentEncoding]
    authorization = variables[.authorization]
    prefer = variables[.prefer]
    id = variables[.requestID]
    remoteAddress = variables[.remoteAddress]
  }

  private static func percentEncoded(_ path: String) -> String {
    path.utf8.reduce(into: "") { encoded, byte in
      let isPlain = byte > 0x20 && byte < 0x7F && !"%?#".utf8.contains(byte)
      encoded += isPlain ? String(Unicode.Scalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
  }
}
