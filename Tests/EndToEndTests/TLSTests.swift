import Foundation
import TestSupport
import Testing

/// The service behind TLS, by the sample that the README has people install.
@Suite("nginx with TLS")
struct TLSTests {
  @Test("Clients get in by TLS 1.2 and 1.3 alone, and are told to stay with it")
  func sample() async throws {
    let instance = try await Instance.shared
    let authority = try TestAuthority()
    let folder = try TemporaryFolder()
    let port = Instance.freePort()
    try configuration(of: instance, port: port, authority, in: folder.path)
      .write(toFile: folder.path + "/nginx.conf", atomically: true, encoding: .utf8)
    let nginx = try Program("/usr/sbin/nginx", arguments: ["-c", folder.path + "/nginx.conf"])
    defer { nginx.signal(SIGTERM) }
    func fetch(_ options: String..., url: String) async throws -> Command {
      try await Command.run(
        "curl", ["--silent", "--show-error", "--include", "--cacert", authority.certificateFile] + options + [url])
    }
    let url = "https://127.0.0.1:\(port)/health"
    try await wait(upTo: 30, for: "nginx") { try await fetch(url: url).status == 0 }
    for version in ["1.2", "1.3"] {
      let answer = try await fetch("--tlsv\(version)", "--tls-max", version, url: url).output
      #expect(answer.hasPrefix("HTTP/1.1 200"), "\(answer)")
      #expect(answer.contains("Strict-Transport-Security: max-age=63072000"))
    }
    let plain = try await fetch(url: "http://127.0.0.1:\(port)/health").output
    #expect(plain.hasPrefix("HTTP/1.1 400"), "\(plain)")
    for (version, isTaken) in [("tls1_1", false), ("tls1_2", true)] {
      let handshake = try await Command.run(
        "openssl", ["s_client", "-connect", "127.0.0.1:\(port)", "-\(version)", "-cipher", "DEFAULT@SECLEVEL=0"])
      #expect((handshake.status == 0) == isTaken, "\(version): \(handshake.errors)")
    }
  }

  /// The instance's nginx on another port, with the sample filled in and files of its own.
  private func configuration(
    of instance: Instance, port: Int, _ authority: TestAuthority, in folder: String
  ) throws -> String {
    let read = { (path: String) in try String(contentsOfFile: path, encoding: .utf8) }
    let tls = try read(Checkout.top.path + "/nginx/tls.conf.template")
      .replacing("@CERTIFICATE@", with: authority.serverFiles.certificate)
      .replacing("@KEY@", with: authority.serverFiles.key)
    let server = try read(instance.state + "/server.conf")
      .replacing("127.0.0.1:\(instance.port)", with: "127.0.0.1:\(port) ssl")
    try (tls + server).write(toFile: folder + "/server.conf", atomically: true, encoding: .utf8)
    return try read(instance.state + "/nginx.conf")
      .replacing("include \(instance.state)/server.conf", with: "include \(folder)/server.conf")
      .replacing(#/pid \S+;/#, with: "pid \(folder)/nginx.pid;")
      .replacing(#/access_log [^;]+;/#, with: "access_log off;")
  }
}
