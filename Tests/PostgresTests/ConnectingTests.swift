import Foundation
import Host
import Postgres
import Testing

@Suite("Connecting to PostgreSQL")
struct ConnectingTests {
  @Test(
    "No error tells the password or a part of it",
    arguments: [
      "postgresql://tocsin:s3cret@127.0.0.1:1/db", "postgresql://tocsin:s3cret@w0rd@nowhere.invalid/db",
      "postgresql://tocsin:1/s3cretw0rd@127.0.0.1/db", "postgresql://tocsin:s3cret/w0rd@nowhere.invalid/db",
      "postgresql://tocsin:s3cret%zz@127.0.0.1/db",
      "host=127.0.0.1 port=1 password='s3cret", "postgresql://tocsin:s3cret@127.0.0.1:1/db?unknown=w0rd",
    ])
  func secrets(url: String) {
    let error = #expect(throws: PostgresError.self) { try Connection(url: url) }
    #expect(error?.isUnreachable == true)
    let text = "\(error.map(String.init(describing:)) ?? "") \(error.map { String(reflecting: $0) } ?? "")"
    #expect(!text.contains("s3cret") && !text.contains("w0rd"), "\(text)")
  }

  @Test("Where nobody listens, the server is unreachable")
  func nobodyThere() {
    let error = #expect(throws: PostgresError.self) { try Connection(url: "postgresql:///db?host=/nonexistent") }
    #expect(error?.isUnreachable == true)
  }

  @Test("A server that accepts and says nothing is given up after the connect timeout")
  func silentServer() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: Identifier.make("pg-"))
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: false)
    defer { #expect(throws: Never.self) { try FileManager.default.removeItem(at: folder) } }
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(folder.appending(path: ".s.PGSQL.5432").path.utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
    let bound = withUnsafeBytes(of: &address) { bytes in
      Glibc.bind(
        listener, bytes.assumingMemoryBound(to: sockaddr.self).baseAddress,
        socklen_t(MemoryLayout<sockaddr_un>.size))
    }
    try #require(bound == 0 && listen(listener, 5) == 0)
    let start = Clock.monotonic
    let error = #expect(throws: PostgresError.self) {
      try Connection(url: "postgresql:///db?host=\(folder.path)&user=nobody")
    }
    #expect(error?.isUnreachable == true)
    #expect(Clock.monotonic - start < 10)
  }
}
