import JSON

/// What is accepted as an absolute http or https URL (RFC 3986), written in ASCII.
enum URLSyntax {
  /// What is wrong with a text that should be a URL; nil if nothing is.
  static func fault(in text: String) -> String? {
    guard let rest = ["http://", "https://"].lazy.compactMap({ text.dropped(prefix: $0) }).first else {
      return "must begin with http:// or https://"
    }
    let isWritten = text.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"\"<>\\^`{|}".utf8.contains($0) }
    guard isWritten else {
      return "must be written in ASCII without spaces: other characters percent-encoded, host names in their xn-- form"
    }
    let authority = rest.prefix { !"/?#".contains($0) }
    guard !authority.contains("@") else { return "must not carry a user name or password" }
    let (host, port) = split(authority)
    guard HostSyntax.isHost(host) else { return "must name a host behind the //" }
    if let port {
      guard port.utf8.allSatisfy(\.isDigit), let number = Int(port), (1...65_535).contains(number) else {
        return "must have a port from 1 to 65535, or none"
      }
    }
    return nil
  }

  private static func split(_ authority: Substring) -> (host: Substring, port: Substring?) {
    let end = authority.first == "[" ? authority.firstIndex(of: "]") ?? authority.startIndex : authority.startIndex
    guard let colon = authority[end...].lastIndex(of: ":") else { return (authority, nil) }
    return (authority[..<colon], authority[colon...].dropFirst())
  }
}

/// What is accepted as a host: a name, an IPv4 address, or an IPv6 address in brackets.
enum HostSyntax {
  /// Whether the text can stand for a host.
  static func isHost(_ text: some StringProtocol) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 255 else { return false }
    if text.hasPrefix("["), text.hasSuffix("]") {
      let address = text.utf8.dropFirst().dropLast()
      return address.contains(0x3A) && address.allSatisfy { $0.isHexadecimalDigit || $0 == 0x3A || $0 == 0x2E }
    }
    return text.utf8.first != 0x2E && text.utf8.allSatisfy { $0.isLetterOrDigit || "-._".utf8.contains($0) }
  }
}

/// What is accepted as a header of a tenant's own.
enum HeaderSyntax {
  /// Those that the transfer itself sets, or that would change what is sent.
  private static let reserved: Set<String> = [
    "connection", "content-length", "expect", "host", "keep-alive", "proxy-authorization", "te", "trailer",
    "transfer-encoding", "upgrade", "webhook-id", "webhook-signature", "webhook-timestamp",
  ]

  /// What is wrong with a header; nil if nothing is. The bounds are the `token` and `field-value` of RFC 9110, ASCII only.
  static func fault(name: String, value: String) -> String? {
    let isToken = !name.isEmpty && name.utf8.allSatisfy { $0.isLetterOrDigit || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    guard isToken, name.utf8.count <= 128 else {
      return "is not a header name: at most 128 letters, digits and any of !#$%&'*+-.^_`|~"
    }
    if reserved.contains(name.lowercased()) { return "is a header that Tocsin sets itself" }
    let isValue = value.utf8.allSatisfy { $0 == 0x09 || (0x20...0x7E).contains($0) }
    return isValue ? nil : "must be printable ASCII without line breaks"
  }
}

extension HTTPTransfer.Header {
  static let json = HTTPTransfer.Header(name: "Content-Type", value: "application/json; charset=utf-8")
  static let userAgent = HTTPTransfer.Header(name: "User-Agent", value: "Tocsin/1")
}

extension ObjectReader {
  /// A URL that must be there; an empty text stands in for a faulty one.
  mutating func webURL(_ key: String) -> String { checkedURL(key, requiredString(key, length: 1...2048)) }

  /// A URL that is a secret and must be there.
  package mutating func webURL(secret key: String) -> String {
    let url = requiredSecret(key)
    return url == Provider.mask ? url : checkedURL(key, url)
  }

  private mutating func checkedURL(_ key: String, _ url: String) -> String {
    if !url.isEmpty, let fault = URLSyntax.fault(in: url) { self.fault(key, fault) }
    return url
  }
}

extension String {
  /// What follows a prefix, whose letters count in either case; nil if the text does not begin with it.
  fileprivate func dropped(prefix: String) -> Substring? {
    utf8.count >= prefix.utf8.count && self.prefix(prefix.count).lowercased() == prefix
      ? dropFirst(prefix.count) : nil
  }
}

extension UInt8 {
  var isDigit: Bool { (0x30...0x39).contains(self) }
  var isHexadecimalDigit: Bool { isDigit || (0x61...0x66).contains(self | 0x20) }
  var isLetterOrDigit: Bool { isDigit || (0x61...0x7A).contains(self | 0x20) }
}
