import Foundation
import TestSupport
import Testing

/// The service behind TLS, by the sample that the README has people install.
@Suite("nginx with TLS")
struct TLSTests {
  private let authority: TestAuthority
  private let nginx: Nginx

  init() async throws {
    authority = try TestAuthority()
    let sample = try String(contentsOfFile: Checkout.top.path + "/nginx/tls.conf.template", encoding: .utf8)
    nginx = try await Nginx(
      of: Instance.shared,
      tls: sample.replacing("@CERTIFICATE@", with: authority.serverFiles.certificate)
        .replacing("@KEY@", with: authority.serverFiles.key))
  }

  private func fetch(_ options: String..., url: String) async throws -> String {
    try await Command.run(
      "curl", ["--silent", "--show-error", "--include", "--cacert", authority.certificateFile] + options + [url]
    ).output
  }

  @Test("Clients get in by TLS 1.2 and 1.3 alone")
  func versions() async throws {
    for version in ["1.2", "1.3"] {
      let answer = try await fetch(
        "--tlsv\(version)", "--tls-max", version, url: "https://127.0.0.1:\(nginx.port)/health")
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
    }
    let plain = try await fetch(url: "http://127.0.0.1:\(nginx.port)/health")
    #expect(plain.hasPrefix("HTTP/1.1 400"), "\(plain)")
    for (version, isTaken) in [("tls1_1", false), ("tls1_2", true)] {
      let handshake = try await Command.run(
        "openssl", ["s_client", "-connect", "127.0.0.1:\(nginx.port)", "-\(version)", "-cipher", "DEFAULT@SECLEVEL=0"])
      #expect((handshake.status == 0) == isTaken, "\(version): \(handshake.errors)")
    }
  }

  @Test(
    "Every answer has clients stay with TLS, whoever gives it", arguments: ["/health", "/docs", "/openapi.json", "/no"])
  func transportSecurity(path: String) async throws {
    let answer = try await fetch(url: "https://127.0.0.1:\(nginx.port)\(path)")
    #expect(answer.contains("Strict-Transport-Security: max-age=63072000\r\n"))
  }
}
