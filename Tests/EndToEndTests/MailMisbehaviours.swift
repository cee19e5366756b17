import JSON
import TestSupport

/// Mail servers. Each case has one of its own, which lives as long as this.
final class MailMisbehaviours {
  private let authority: TestAuthority
  private var servers: [MailReceiver] = []

  init(authority: TestAuthority) { self.authority = authority }

  /// Ends the servers, and with them whatever waits for one.
  func stop() { servers = [] }

  private func server(
    _ name: String, over security: MailReceiver.Security = .none, flaw: TestAuthority.Flaw? = nil,
    authority: TestAuthority? = nil, _ outcome: String, then next: Misbehaviour.Next = .never,
    setUp: (MailReceiver) throws -> Void = { _ in }
  ) throws -> Misbehaviour {
    let login = (user: "tocsin", password: Misbehaviour.secret)
    let server = try MailReceiver(
      security, login: security == .none ? nil : login, authority: authority ?? self.authority, flaw: flaw)
    try setUp(server)
    servers.append(server)
    var config: JSONObject = ["use_tls": false]
    if security != .none {
      config = [
        "tls_mode": .string(security.rawValue), "smtp_username": .string(login.user),
        "smtp_password": .string(login.password),
      ]
    }
    return .mail(name, port: server.port, config: config, outcome, then: next)
  }

  /// A refusal for now and one for good at each stage.
  func refusals() throws -> [Misbehaviour] {
    let stages: [(MailReceiver.Stage, MailReceiver.Security)] = [
      (.greeting, .none), (.hello, .none), (.login, .implicit), (.sender, .none), (.data, .none), (.message, .none),
    ]
    return try stages.flatMap { stage, security in
      try [(450, "pending retry", Misbehaviour.Next.soon), (550, "failed rejected", .never)].map { code, state, next in
        try server(
          "\(code) at the \(stage)", over: security, "\(state) \(code): answered \(code): not you, ********", then: next
        ) { try $0.refuse(at: stage, with: "\(code) not you, \(security == .none ? "********" : Misbehaviour.secret)") }
      }
    }
  }

  /// Refusals that are more than a yes or a no.
  func others() throws -> [Misbehaviour] {
    let noTLS = "pending retry -: no secure connection:"
    return [
      try server("421 at the greeting", "pending retry 421: answered 421: busy", then: .soon) {
        try $0.refuse(at: .greeting, with: "421 busy")
      },
      try server("421 at the message", "pending retry 421: answered 421: going down", then: .soon) {
        try $0.refuse(at: .message, with: "421 going down")
      },
      try server("450 for one of three", "pending retry 250: two@example.com refused with 450: full", then: .soon) {
        try $0.refuse(at: .recipient, address: "two@example.com", with: "450 full")
      },
      try server("550 for one of three", "sent sent 250: two@example.com refused with 550: gone") {
        try $0.refuse(at: .recipient, address: "two@example.com", with: "550 gone")
      },
      try server(
        "550 for all three",
        "failed rejected 550: "
          + ["one", "two", "three"].map { "\($0)@example.com refused with 550: gone" }.joined(separator: "; ")
      ) { try $0.refuse(at: .recipient, with: "550 gone") },
      try server("hangs behind the data", "pending", then: .open) { try $0.delay(at: .message, seconds: 600) },
      try server("454 at STARTTLS", over: .startTLS, "\(noTLS) STARTTLS denied, code 454", then: .soon) {
        try $0.refuse(at: .secure, with: "454 not now")
      },
    ]
  }

  /// Connections that end too early, and one reply without end.
  func hangUps() throws -> [Misbehaviour] {
    let broke = "pending retry -: the connection broke:"
    let stages: [MailReceiver.Stage] = [.greeting, .hello, .sender, .recipient, .data, .message]
    return try stages.map { stage in
      let isGreeted = ![.greeting, .hello].contains(stage)
      let reason = isGreeted ? "the server closed the connection" : "it ended without a whole answer"
      return try server("hangs up at the \(stage)", "\(broke) \(reason)", then: .soon) { try $0.hangUp(at: stage) }
    } + [
      try server("endless reply", "\(broke) what the server sent is no reply of SMTP", then: .soon) {
        try $0.refuse(at: .message, with: "250 " + String(repeating: "x", count: 20_000))
      },
      try server("no reply at all", "\(broke) what the server sent is no reply of SMTP", then: .soon) {
        try $0.refuse(at: .message, with: "welcome")
      },
    ]
  }

  /// Servers that cannot show who they are, or that somebody keeps from it.
  func strangers() throws -> [Misbehaviour] {
    let noTLS = "pending retry -: no secure connection:"
    let stripped = try MailReceiver(.none)
    servers.append(stripped)
    return [
      .mail("STARTTLS stripped", port: stripped.port, config: [:], "\(noTLS) STARTTLS not supported.", then: .soon),
      try server(
        "mail from another host", over: .startTLS, flaw: .otherHost,
        "\(noTLS) SSL: no alternative certificate subject name matches target host name 'localhost'", then: .soon),
      try server(
        "mail from an expired host", over: .implicit, flaw: .expired,
        "\(noTLS) SSL certificate problem: certificate has expired", then: .soon),
      try server(
        "mail from a stranger", over: .startTLS, authority: TestAuthority(),
        "\(noTLS) SSL certificate problem: unable to get local issuer certificate", then: .soon),
    ]
  }
}
