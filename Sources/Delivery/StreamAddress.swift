/// Where a stream of bytes goes: a host and a port, by TCP alone or by TLS.
package struct StreamAddress: Sendable, Equatable, CustomStringConvertible {
  /// Whether the connection is secured, and the host's certificate must be valid for its name.
  package let isSecure: Bool
  /// Host and port: `siem.example.com:6514`, `[::1]:601`.
  package let authority: String

  /// What was read.
  package var description: String { (isSecure ? "tls://" : "tcp://") + authority }

  /// Reads `tcp://HOST:PORT` or `tls://HOST:PORT`; nil for anything else.
  package init?(_ text: String) {
    let schemes = ["tcp://": false, "tls://": true]
    guard let (scheme, isSecure) = schemes.first(where: { text.hasPrefix($0.key) }) else { return nil }
    let authority = text.dropFirst(scheme.count)
    guard let colon = authority.lastIndex(of: ":"), HostSyntax.isHost(authority[..<colon]) else { return nil }
    let port = authority[colon...].dropFirst()
    guard port.utf8.allSatisfy(\.isDigit), let number = Int(port), (1...65_535).contains(number) else { return nil }
    self.isSecure = isSecure
    self.authority = String(authority)
  }
}
