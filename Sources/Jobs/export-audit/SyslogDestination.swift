import Curl
import Delivery
import Host

/// The syslog server that the log is sent to.
struct SyslogDestination {
  let address: StreamAddress
  /// A file of certificates to trust instead of the system's; nil or empty for the system's.
  let authorities: String?
  /// What a server is shown that asks who this is; nil for nothing.
  let certificate: ClientCertificate?
  /// Whose name for the structured data it is, see ``SyslogData``.
  let enterprise: Int

  /// By the settings `ALERTING_AUDIT_SYSLOG_…`; nil where there is none.
  static func configured() throws(InvalidSetting) -> SyslogDestination? {
    guard let url = setting("URL") else { return nil }
    guard let address = StreamAddress(url) else {
      throw InvalidSetting(prefix + "URL", "\"\(url)\" is not tls://HOST:PORT or tcp://HOST:PORT")
    }
    return SyslogDestination(
      address: address, authorities: setting("CA_FILE") ?? Environment["ALERTING_CA_FILE"],
      certificate: try certificate(for: address),
      // The number for documentation (RFC 5612): there is none of this project's own.
      enterprise: try Environment.number(
        prefix + "ENTERPRISE", of: "IANA's registry", in: 1...4_294_967_295, usual: 32473))
  }

  private static func certificate(for address: StreamAddress) throws(InvalidSetting) -> ClientCertificate? {
    let (certificate, key) = (setting("CERTIFICATE_FILE"), setting("KEY_FILE"))
    if certificate == nil, key == nil { return nil }
    guard let certificate else { throw InvalidSetting(prefix + "CERTIFICATE_FILE", "has to be set for the key") }
    guard let key else { throw InvalidSetting(prefix + "KEY_FILE", "has to be set for the certificate") }
    guard address.isSecure else {
      throw InvalidSetting(prefix + "CERTIFICATE_FILE", "is for tls:// alone: nobody asks for it over tcp://")
    }
    return ClientCertificate(certificateFile: certificate, keyFile: key)
  }

  private static let prefix = "ALERTING_AUDIT_SYSLOG_"

  private static func setting(_ name: String) -> String? {
    Environment[prefix + name].flatMap { $0.isEmpty ? nil : $0 }
  }
}
