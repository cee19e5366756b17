/// What came of a transfer.
package enum Reply: Sendable, Equatable {
  /// The receiver answered over HTTP.
  case http(HTTPReply)
  /// The server answered over SMTP.
  case mail(MailReply)
  /// No answer.
  case failure(TransportFailure)

  /// The HTTP status or SMTP reply code; nil where there was no answer.
  package var status: Int? {
    switch self {
    case .http(let reply): reply.status
    case .mail(let reply): reply.code
    case .failure: nil
    }
  }
}

/// How an attempt found the receiver.
package enum ReceiverState: String, Sendable {
  /// It took the delivery.
  case sent
  /// It is up, though it did not take the delivery.
  case answering
  /// There is no receiver, or it says itself that it does not work.
  case down
  /// The attempt did not get as far as the receiver.
  case unknown
}

extension Reply {
  /// How the attempt found the receiver, where it did not take the delivery.
  package var receiver: ReceiverState {
    switch self {
    case .http(let reply): reply.status >= 500 || reply.status == 408 ? .down : .answering
    // A server that goes away says 421 (RFC 5321, section 3.8).
    case .mail(let reply): reply.code == 421 ? .down : .answering
    case .failure(let failure):
      switch failure.stage {
      case .forbiddenAddress, .malformed: .unknown
      case .resolving, .connecting, .securing, .timeout, .talking: .down
      }
    }
  }
}

/// An HTTP answer, as much of it as is judged and kept.
package struct HTTPReply: Sendable, Equatable {
  /// The most bytes of a body that are kept.
  package static let bodyLimit = 2048

  /// The status code.
  package let status: Int
  /// The `Retry-After` field as it was sent; nil where there was none.
  package let retryAfter: String?
  /// How much more the receiver says it will take.
  package let rateLimit: RateLimit
  /// The first ``bodyLimit`` bytes of the body.
  package let body: [UInt8]

  /// An answer.
  package init(status: Int, retryAfter: String? = nil, rateLimit: RateLimit = RateLimit(), body: [UInt8] = []) {
    self.status = status
    self.retryAfter = retryAfter
    self.rateLimit = rateLimit
    self.body = body
  }
}

/// How a conversation with an SMTP server ended.
package struct MailReply: Sendable, Equatable {
  /// The last reply code: 250 where the server took the message.
  package let code: Int
  /// The last reply's text.
  package let text: String
  /// The recipients that the server would not take, though it may have taken the message for others.
  package let refusals: [Refusal]

  /// An answer.
  package init(code: Int, text: String, refusals: [Refusal] = []) {
    self.code = code
    self.text = text
    self.refusals = refusals
  }

  /// One recipient that was refused.
  package struct Refusal: Sendable, Equatable {
    /// The address.
    package let recipient: String
    /// The reply code to `RCPT TO`.
    package let code: Int
    /// The text behind the code.
    package let text: String

    /// A refusal.
    package init(recipient: String, code: Int, text: String) {
      self.recipient = recipient
      self.code = code
      self.text = text
    }
  }
}

/// Why a transfer brought no answer.
package struct TransportFailure: Sendable, Equatable {
  /// Where it failed.
  package let stage: Stage
  /// What the library says of it; without URL, address of the receiver excepted.
  package let detail: String

  /// A failure.
  package init(_ stage: Stage, detail: String) {
    self.stage = stage
    self.detail = detail
  }

  /// The part of a transfer that failed.
  package enum Stage: String, Sendable, CaseIterable {
    /// The host's name has no address.
    case resolving
    /// The address is one that deliveries may not reach.
    case forbiddenAddress
    /// Nobody takes the connection.
    case connecting
    /// The connection could not be secured, or the certificate is not valid.
    case securing
    /// The time was over.
    case timeout
    /// The connection broke, or what came over it was no answer.
    case talking
    /// The transfer itself could not be understood, so it cannot succeed later either.
    case malformed
  }
}

extension TransportFailure.Stage {
  /// What happened, in words.
  package var told: String {
    switch self {
    case .resolving: "the host name has no address"
    case .forbiddenAddress: "the address may not be reached from here"
    case .connecting: "no connection"
    case .securing: "no secure connection"
    case .timeout: "no answer in time"
    case .talking: "the connection broke"
    case .malformed: "the request could not be made"
    }
  }
}
