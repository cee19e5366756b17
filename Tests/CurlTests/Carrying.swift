import Curl
import Delivery
import TestSupport
import Testing

/// Carries one transfer to the receivers of tests, which listen on 127.0.0.1.
func carry(
  _ transfer: Transfer, trusting authority: TestAuthority? = nil, allowing list: String = "127.0.0.0/8"
) throws -> Reply {
  let queue = try TransferQueue<Int>(
    addresses: AddressPolicy(allowing: list), authorities: authority?.certificateFile)
  queue.add(transfer, tag: 1)
  return try #require(queue.all().first).reply
}

extension TransferQueue {
  /// Waits for all the transfers.
  func all() throws -> [(tag: Tag, reply: Reply)] {
    var finished: [(tag: Tag, reply: Reply)] = []
    while count > 0 { finished += try wait(seconds: 60) }
    return finished
  }
}

extension Reply {
  /// The answer over HTTP.
  var http: HTTPReply? { if case .http(let reply) = self { reply } else { nil } }
  /// The reply over SMTP.
  var mail: MailReply? { if case .mail(let reply) = self { reply } else { nil } }
  /// Why there is none.
  var failure: TransportFailure? { if case .failure(let failure) = self { failure } else { nil } }
}
