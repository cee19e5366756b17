/// Decides what a reply means, by one table for all kinds of provider.
///
/// | reply | verdict |
/// |---|---|
/// | 2xx that the kind takes for a yes | sent |
/// | any other 2xx, 1xx, 408, 425, 429, 5xx | retry |
/// | what the kind takes for the receiver's end | gone |
/// | 3xx (redirects are not followed), other 4xx | rejected |
/// | SMTP 2yz | sent, as far as the recipients were taken |
/// | SMTP 4yz, for all or for some recipients | retry for those |
/// | SMTP 5yz | rejected |
/// | no answer | retry, unless the address is forbidden or the transfer malformed |
struct RetryJudge {
  /// What must not appear in a reason.
  let secrets: Secrets
  /// Whether an answer with a status of 2xx is this kind's yes.
  let isTaken: (HTTPReply) -> Bool
  /// Whether a status is this kind's way to say that the receiver is no more.
  let isGone: (Int) -> Bool

  func verdict(on reply: Reply, receivedAt time: Int) -> Verdict {
    switch reply {
    case .http(let reply): verdict(on: reply, receivedAt: time)
    case .mail(let reply): verdict(on: reply)
    case .failure(let failure): verdict(on: failure)
    }
  }

  private func verdict(on reply: HTTPReply, receivedAt time: Int) -> Verdict {
    let reason = reason("answered \(reply.status)", masked: secrets.masked(in: reply))
    let after = reply.retryAfter.flatMap { RetryAfter.seconds($0, receivedAt: time) }
    switch reply.status {
    case 200..<300:
      return isTaken(reply) ? .sent(remark: nil) : .retry(after: after, reason: reason + ", which is no confirmation")
    case 408, 425, 429, 100..<200, 500..<600:
      return .retry(after: after, reason: reason)
    default:
      return isGone(reply.status) ? .gone(reason: reason) : .rejected(reason: reason)
    }
  }

  private func verdict(on reply: MailReply) -> Verdict {
    let refusals = reply.refusals.map { self.reason("\($0.recipient) refused with \($0.code)", $0.text) }
    let refused = refusals.joined(separator: "; ")
    switch reply.code {
    case 200..<300:
      let remaining = reply.refusals.filter { $0.code < 500 }.map(\.recipient)
      if !remaining.isEmpty { return .sentToSome(remaining: remaining, reason: refused) }
      return .sent(remark: refused.isEmpty ? nil : refused)
    case 500..<600 where reply.refusals.allSatisfy { $0.code >= 500 }:
      return .rejected(reason: refused.isEmpty ? reason("answered \(reply.code)", reply.text) : refused)
    default:
      return .retry(after: nil, reason: refused.isEmpty ? reason("answered \(reply.code)", reply.text) : refused)
    }
  }

  private func verdict(on failure: TransportFailure) -> Verdict {
    switch failure.stage {
    case .forbiddenAddress, .malformed: .rejected(reason: reason(failure.stage.told, failure.detail))
    case .resolving, .connecting, .securing, .timeout, .talking:
      .retry(after: nil, reason: reason(failure.stage.told, failure.detail))
    }
  }

  private func reason(_ event: String, _ said: String) -> String { reason(event, masked: secrets.masked(in: said)) }

  /// What happened, with the beginning of what the other side said, in one line.
  private func reason(_ event: String, masked said: String) -> String {
    let line = said.unicodeScalars.prefix(300).map { $0.properties.isPrintable ? $0 : " " }
    let text = String(String.UnicodeScalarView(line)).split(separator: " ").joined(separator: " ")
    return text.isEmpty ? event : "\(event): \(text)"
  }
}

extension Unicode.Scalar.Properties {
  /// Whether the scalar shows as itself in a line of text: no control, line separator, surrogate, private or unassigned one.
  fileprivate var isPrintable: Bool {
    switch generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
    default: true
    }
  }
}
