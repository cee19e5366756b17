import JSON

/// A real syslog server on 127.0.0.1, over TCP and TLS, that takes nothing but well-formed messages in well-formed frames.
package final class SyslogReceiver {
  /// A message as it was understood.
  package struct Message: Sendable {
    /// Facility times eight and severity.
    package let priority: Int
    /// The timestamp.
    package let time: String
    /// `HOSTNAME`, `APP-NAME`, `PROCID` and `MSGID`.
    package let header: [String]
    /// The name of the structured data.
    package let element: String
    /// The parameters of the structured data, unescaped.
    package let parameters: [String: String]
    /// The message itself, without its byte order mark.
    package let text: String
    /// How many bytes the message had.
    package let size: Int
    /// Over which connection it came, counted from 1.
    package let connection: Int
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// The name in the certificate that was shown for the connection; nil where none was.
    package let client: String?
  }

  /// Who vouches for the server.
  package let authority: TestAuthority
  /// The address of the server over TLS, `tls://localhost:PORT`.
  package let url: String
  /// The address of the server over TCP alone, `tcp://127.0.0.1:PORT`.
  package let plainURL: String
  private let process: ReceiverProcess

  /// Starts the server, known by the authority's certificate for it, or by one with a flaw. Over TLS it may want a certificate of
  /// each client, by the same authority.
  package init(flaw: TestAuthority.Flaw? = nil, wantsCertificates: Bool = false) throws {
    authority = try TestAuthority()
    let files = try flaw.map(authority.serverFiles) ?? authority.serverFiles
    let clients = wantsCertificates ? [authority.certificateFile] : []
    process = try ReceiverProcess(script: "syslog_receiver.py", arguments: [files.certificate, files.key] + clients)
    let ports = try process.ports()
    url = "tls://localhost:\(ports["tls"]?.integer ?? 0)"
    plainURL = "tcp://127.0.0.1:\(ports["tcp"]?.integer ?? 0)"
  }

  /// The messages so far, in the order in which they came.
  package func messages() throws -> [Message] {
    try process.records(of: "message").compactMap { $0.object.map(Message.init) }
  }

  /// How many connections there have been.
  package func connections() throws -> Int { try process.records(of: "connection").count }

  /// What was no frame or no message.
  package func faults() throws -> [String] { try process.records(of: "fault").compactMap(\.string) }

  /// Waits until there have been so many connections.
  package func waitForConnections(_ count: Int) throws {
    _ = try process.wait { try self.connections() >= count ? true : nil }
  }

  /// Has the connections from now on cut after so many bytes, or with nil read to their end.
  package func cut(afterBytes bytes: Int?) throws {
    try process.tell(["bytes": bytes.map { .number(JSONNumber($0)) } ?? .null])
  }

  /// Has the connections from now on written to without end, and nothing read.
  package func talk() throws { try process.tell(["talk": true]) }

  /// Ends the connections that there are.
  package func endConnections() throws { try process.tell(["end": true]) }
}

extension SyslogReceiver.Message {
  fileprivate init(_ record: JSONObject) {
    priority = record["priority"]?.integer ?? 0
    time = record["time"]?.string ?? ""
    header = ["host", "program", "process", "kind"].map { record[$0]?.string ?? "" }
    element = record["element"]?.string ?? ""
    parameters = Dictionary(
      (record["parameters"]?.object?.members ?? []).map { ($0.key, $0.value.string ?? "") }
    ) { $1 }
    text = record["text"]?.string ?? ""
    size = record["size"]?.integer ?? 0
    connection = record["connection"]?.integer ?? 0
    isSecure = record["isSecure"] == true
    client = record["client"]?.string
  }
}
