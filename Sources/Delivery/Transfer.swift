/// What has to be carried to a receiver, complete to the last byte.
package enum Transfer: Sendable, Equatable {
  case http(HTTPTransfer)
  case mail(MailTransfer)

  /// The longest that any transfer may take, in seconds; a lease on a delivery outlives it.
  package static let longestSeconds = 120

  /// The most seconds that the transfer may take, from looking up the name to the last byte of the reply.
  package var timeoutSeconds: Int {
    switch self {
    case .http(let transfer): transfer.timeoutSeconds
    case .mail(let transfer): transfer.timeoutSeconds
    }
  }
}

/// One HTTP request.
package struct HTTPTransfer: Sendable, Equatable {
  /// An absolute http or https URL. It may be a secret: it does not belong in a log.
  package var url: String
  /// The request method.
  package var method = "POST"
  /// The header fields; neither names nor values have line breaks.
  package var headers: [Header]
  /// The body.
  package var body: [UInt8]
  /// Whether the receiver's certificate must be valid for its name.
  package var verifiesTLS = true
  /// The most seconds that it may take.
  package var timeoutSeconds = 30

  /// One header field of a request.
  package struct Header: Sendable, Equatable {
    /// The field's name.
    package let name: String
    /// The field's value.
    package let value: String
  }
}

/// One message for an SMTP server.
package struct MailTransfer: Sendable, Equatable {
  /// The server's host name or address.
  package var host: String
  /// The server's port.
  package var port: Int
  /// How the connection is secured.
  package var security: MailSecurity
  /// What to log in with; nil not to log in.
  package var login: Login?
  /// The envelope's sender.
  package var sender: String
  /// The envelope's recipients.
  package var recipients: [String]
  /// The message by RFC 5322, lines ended by CR LF, dots not stuffed.
  package var message: [UInt8]
  /// The most seconds that it may take.
  package var timeoutSeconds = 60

  /// A user name with its password.
  package struct Login: Sendable, Equatable {
    /// The user name.
    package let user: String
    /// The password.
    package let password: String
  }
}

/// How a connection to an SMTP server is secured. The server's certificate must be valid for its name in either case.
package enum MailSecurity: String, Sendable, CaseIterable {
  /// Not at all.
  case none
  /// STARTTLS (RFC 3207), and nothing is sent if the server does not offer it.
  case startTLS = "starttls"
  /// TLS from the first byte on (RFC 8314).
  case implicit
}
