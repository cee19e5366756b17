import TestSupport

/// Receivers that are not where, or not who, they should be.
struct AddressMisbehaviours {
  let receiver: HTTPReceiver
  /// Servers with a certificate that nobody should trust.
  let strangers: [(name: String, server: HTTPReceiver, reason: String)]
  let silence: SilentListener

  init(receiver: HTTPReceiver) throws {
    self.receiver = receiver
    let authority = receiver.authority
    strangers = [
      (
        "certificate for another host", try HTTPReceiver(authority: authority, flaw: .otherHost),
        "SSL: no alternative certificate subject name matches target host name 'localhost'"
      ),
      (
        "certificate that has expired", try HTTPReceiver(authority: authority, flaw: .expired),
        "SSL certificate problem: certificate has expired"
      ),
      (
        "certificate that vouches for itself", try HTTPReceiver(authority: authority, flaw: .selfSigned),
        "SSL certificate problem: self-signed certificate"
      ),
      (
        "certificate of an unknown authority", try HTTPReceiver(),
        "SSL certificate problem: unable to get local issuer certificate"
      ),
    ]
    silence = try SilentListener()
  }

  /// Nobody takes the connection, or what takes it speaks no TLS.
  func connections() -> [Misbehaviour] {
    let silent = "localhost:\(silence.port)"
    let late = "pending retry -: no answer in time:"
    return [
      .webhook("is waited for", url: "http://\(silent)/", config: ["timeout": 120], "pending", then: .open),
      .webhook(
        "refuses the connection", url: "http://127.0.0.1:1/",
        "pending retry -: no connection: Failed to connect to 127.0.0.1 port 1 after N ms: Couldn't connect to server",
        then: .soon),
      .webhook(
        "has no address", url: "https://tocsin.invalid/",
        "pending retry -: the host name has no address: Could not resolve host: tocsin.invalid", then: .soon),
      .webhook(
        "takes the connection and is silent", url: "http://\(silent)/",
        "\(late) Operation timed out after N milliseconds with N bytes received", then: .soon),
      .webhook(
        "takes the connection and never secures it", url: "https://\(silent)/",
        "\(late) Connection timed out after N milliseconds", then: .soon),
      .webhook(
        "speaks no TLS", url: receiver.plainURL.replacing("http:", with: "https:") + "/",
        "pending retry -: no secure connection: wrong version number", then: .soon),
      .webhook(
        "speaks TLS alone", url: receiver.url.replacing("https:", with: "http:") + "/",
        "pending retry -: the connection broke: it ended without a whole answer", then: .soon),
    ]
  }

  /// Wrong certificates.
  func certificates() -> [Misbehaviour] {
    strangers.map { name, server, reason in
      .webhook(name, url: server.url + "/", "pending retry -: no secure connection: \(reason)", then: .soon)
    }
  }

  /// Addresses that are not public and not among those that the operator allows, by each of their spellings, while there is a
  /// receiver behind some of them.
  func forbidden() -> [Misbehaviour] {
    let port = receiver.plainURL.split(separator: ":").last ?? ""
    let spellings: [(host: String, address: String)] = [
      ("169.254.169.254", "169.254.169.254"), ("2852039166", "169.254.169.254"), ("0xA9FEA9FE", "169.254.169.254"),
      ("0251.0376.0251.0376", "169.254.169.254"), ("[::ffff:169.254.169.254]", "::ffff:169.254.169.254"),
      ("[64:ff9b::a9fe:a9fe]", "64:ff9b::a9fe:a9fe"), ("[fd00:ec2::254]", "fd00:ec2::254"), ("[fe80::1]", "fe80::1"),
      ("10.0.0.1", "10.0.0.1"), ("127.0.0.2:\(port)", "127.0.0.2"), ("127.2:\(port)", "127.0.0.2"),
      ("0.0.0.0:\(port)", "0.0.0.0"), ("[::1]:\(port)", "::1"), ("[::ffff:127.0.0.2]:\(port)", "::ffff:127.0.0.2"),
    ]
    let reason = "failed rejected -: the address may not be reached from here:"
    return spellings.map { host, address in
      .webhook("forbidden \(host)", url: "http://\(host)/latest/meta-data", "\(reason) \(address)")
    } + [
      .mail("forbidden mail server", port: 25, config: ["smtp_host": "169.254.169.254"], "\(reason) 169.254.169.254")
    ]
  }
}
