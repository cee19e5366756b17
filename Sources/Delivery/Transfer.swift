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
  package let url: String
  /// The request method.
  package let method: String
  /// The header fields; neither names nor values have line breaks.
  package let headers: [Header]
  /// The body.
  package let body: [UInt8]
  /// Whether the receiver's certificate must be valid for its name.
  package let verifiesTLS: Bool
  /// The most seconds that it may take.
  package let timeoutSeconds: Int

  /// A request.
  package init(
    url: String, method: String = "POST", headers: [Header] = [], body: [UInt8] = [], verifiesTLS: Bool = true,
    timeoutSeconds: Int = 30
  ) {
    self.url = url
    self.method = method
    self.headers = headers
    self.body = body
    self.verifiesTLS = verifiesTLS
    self.timeoutSeconds = timeoutSeconds
  }

  /// One header field of a request.
  package struct Header: Sendable, Equatable {
    /// The field's name.
    package let name: String
    /// The field's value.
    package let value: String

    /// A header field.
    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }
}

/// One message for an SMTP server.
package struct MailTransfer: Sendable, Equatable {
  /// The server's host name or address.
  package let host: String
  /// The server's port.
  package let port: Int
  /// How the connection is secured.
  package let security: MailSecurity
  /// What to log in with; nil not to log in.
  package let login: Login?
  /// The envelope's sender.
  package let sender: String
  /// The envelope's recipients.
  package let recipients: [String]
  /// The message by RFC 5322, lines ended by CR LF, dots not stuffed.
  package let message: [UInt8]
  /// The most seconds that it may take.
  package let timeoutSeconds: Int

  /// A message for a server.
  package init(
    host: String, port: Int, security: MailSecurity, login: Login? = nil, sender: String, recipients: [String],
    message: [UInt8], timeoutSeconds: Int = 60
  ) {
    self.host = host
    self.port = port
    self.security = security
    self.login = login
    self.sender = sender
    self.recipients = recipients
    self.message = message
    self.timeoutSeconds = timeoutSeconds
  }

  /// A user name with its password.
  package struct Login: Sendable, Equatable {
    /// The user name.
    package let user: String
    /// The password.
    package let password: String

    /// A login.
    package init(user: String, password: String) {
      self.user = user
      self.password = password
    }
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
