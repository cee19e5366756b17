import Glibc

/// A certificate authority of a test's own, with one server's certificate. Its files are gone when it is.
package final class TestAuthority {
  /// What is wrong with a certificate.
  package enum Flaw: String, CaseIterable {
    /// It is for another host.
    case otherHost
    /// Its time is over.
    case expired
    /// The authority has nothing to do with it.
    case selfSigned
  }

  /// The authority's certificate, for clients to trust.
  package let certificateFile: String
  /// The server's certificate and key.
  package let serverFiles: (certificate: String, key: String)
  private let folder: String
  private let names: String

  /// Makes both; the server is known by these names in the form of `subjectAltName`.
  package init(for names: String = "DNS:localhost,IP:127.0.0.1,IP:::1") throws {
    var template = Array("/tmp/tocsin-authority-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemFailure("make a folder for certificates", errno) }
    folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    self.names = names
    // Services run as accounts of their own; openssl keeps the keys from them.
    guard chmod(folder, 0o711) == 0 else { throw SystemFailure("open the folder for certificates", errno) }
    certificateFile = folder + "/authority.pem"
    serverFiles = (folder + "/server.pem", folder + "/server.key")
    let key = folder + "/authority.key"
    try Self.certify("/CN=Authority of a test", [], certificate: certificateFile, key: key)
    try Self.certify(
      "/CN=Server of a test", issuing(for: names), certificate: serverFiles.certificate, key: serverFiles.key)
  }

  deinit {
    let made = ["authority", "server", "client", "locked"] + Flaw.allCases.map(\.rawValue)
    for name in made { for ending in ["pem", "key"] { unlink("\(folder)/\(name).\(ending)") } }
    rmdir(folder)
  }

  /// A certificate for the server, with its key, that nobody should trust.
  package func serverFiles(with flaw: Flaw) throws -> (certificate: String, key: String) {
    let files = (certificate: "\(folder)/\(flaw.rawValue).pem", key: "\(folder)/\(flaw.rawValue).key")
    let subject = "/CN=Server of a test"
    switch flaw {
    case .otherHost:
      try Self.certify(subject, issuing(for: "DNS:other.example"), certificate: files.certificate, key: files.key)
    case .selfSigned:
      try Self.certify(subject, Self.naming(names), certificate: files.certificate, key: files.key)
    case .expired:
      let request = folder + "/request"
      defer { unlink(request) }
      try Self.openssl(
        ["req", "-new"] + Self.key + ["-subj", subject, "-keyout", files.key, "-out", request] + Self.naming(names))
      let issuer = ["-CA", certificateFile, "-CAkey", folder + "/authority.key", "-copy_extensions", "copyall"]
      try Self.openssl(["x509", "-req", "-in", request, "-days", "-1", "-out", files.certificate] + issuer)
    }
    return files
  }

  /// A certificate for a client, known as `Client of a test`, with its key, which a password may lock.
  package func clientFiles(lockedBy password: String? = nil) throws -> (certificate: String, key: String) {
    let files = (certificate: folder + "/client.pem", key: folder + "/client.key")
    let options = issuing(for: "DNS:client.example")
    try Self.certify("/CN=Client of a test", options, certificate: files.certificate, key: files.key)
    guard let password else { return files }
    let locked = folder + "/locked.key"
    try Self.openssl(["pkey", "-in", files.key, "-aes256", "-passout", "pass:\(password)", "-out", locked])
    return (files.certificate, locked)
  }

  private func issuing(for names: String) -> [String] {
    ["-CA", certificateFile, "-CAkey", folder + "/authority.key"] + Self.naming(names)
  }

  private static let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

  private static func naming(_ names: String) -> [String] {
    ["-addext", "subjectAltName=\(names)", "-addext", "basicConstraints=critical,CA:FALSE"]
  }

  private static func certify(_ subject: String, _ options: [String], certificate: String, key: String) throws {
    let request = ["req", "-x509", "-days", "2"] + Self.key
    try openssl(request + ["-subj", subject, "-keyout", key, "-out", certificate] + options)
  }

  private static func openssl(_ arguments: [String]) throws {
    let openssl = try Program("/usr/bin/openssl", arguments: arguments)
    guard openssl.ending() == .exit(0) else { throw ReceiverFailure("openssl: " + openssl.standardError) }
  }
}
