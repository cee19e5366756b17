import Glibc

/// A certificate authority of a test's own, with one server's certificate. Its files are gone when it is.
package final class TestAuthority {
  /// The authority's certificate, for clients to trust.
  package let certificateFile: String
  /// The server's certificate and key.
  package let serverFiles: (certificate: String, key: String)
  private let folder: String

  /// Makes both; the server is known by these names in the form of `subjectAltName`.
  package init(for names: String = "DNS:localhost,IP:127.0.0.1,IP:::1") throws {
    var template = Array("/tmp/tocsin-authority-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemFailure("make a folder for certificates", errno) }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    // Services run as accounts of their own; openssl keeps the keys from them.
    guard chmod(folder, 0o711) == 0 else { throw SystemFailure("open the folder for certificates", errno) }
    certificateFile = folder + "/authority.pem"
    serverFiles = (folder + "/server.pem", folder + "/server.key")
    let key = folder + "/authority.key"
    try Self.certify("/CN=Authority of a test", [], certificate: certificateFile, key: key)
    let server = ["-CA", certificateFile, "-CAkey", key, "-addext", "subjectAltName=\(names)"]
    let isNoAuthority = ["-addext", "basicConstraints=critical,CA:FALSE"]
    try Self.certify(
      "/CN=Server of a test", server + isNoAuthority, certificate: serverFiles.certificate, key: serverFiles.key)
  }

  deinit {
    for name in ["authority.pem", "authority.key", "server.pem", "server.key"] { unlink(folder + "/" + name) }
    rmdir(folder)
  }

  private static func certify(_ subject: String, _ options: [String], certificate: String, key: String) throws {
    let request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    let openssl = try Program(
      "/usr/bin/openssl", arguments: request + ["-subj", subject, "-keyout", key, "-out", certificate] + options)
    guard openssl.ending() == .exit(0) else { throw ReceiverFailure("openssl: " + openssl.standardError) }
  }
}
