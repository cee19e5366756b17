import CCurl
import Delivery

/// A mail on its way to an SMTP server.
///
/// libcurl connects, secures the connection, greets and logs in; the transaction itself is spoken here, over libcurl's
/// connection. libcurl's own (7.88) says nothing of single recipients, and it blocks all transfers of a queue while it
/// waits for the reply to a message, which a server that scans its mail may keep back for a minute.
final class MailExchange: Exchange {
  let handle: EasyHandle
  private let gate: AddressGate
  private let deadline: Double
  private var dialogue: MailDialogue
  private var reader = MailReplyReader()
  private var outgoing: ArraySlice<UInt8> = []
  /// The last reply while libcurl greets the server and logs in.
  private var lastReply: MailReplyText?

  init(_ transfer: MailTransfer, on handle: EasyHandle, settings: ConnectionSettings) throws(EasyHandle.Refused) {
    // A password is not for everybody on the way to read.
    guard MailDialogue.canSpeak(of: transfer), transfer.login == nil || transfer.security != .none else {
      throw EasyHandle.Refused(code: CURLE_BAD_FUNCTION_ARGUMENT)
    }
    self.handle = handle
    gate = AddressGate(policy: settings.addresses)
    deadline = Moment.now + Double(transfer.timeoutSeconds)
    dialogue = MailDialogue(transfer)
    try settings.apply(
      to: handle, gate: gate, protocols: "smtp,smtps", seconds: transfer.timeoutSeconds, verifiesTLS: true)
    let scheme = transfer.security == .implicit ? "smtps" : "smtp"
    try handle.set(CURLOPT_URL, "\(scheme)://\(transfer.host):\(transfer.port)")
    if transfer.security == .startTLS { try handle.set(CURLOPT_USE_SSL, Int(CURLUSESSL_ALL.rawValue)) }
    if let login = transfer.login {
      try handle.set(CURLOPT_USERNAME, login.user)
      try handle.set(CURLOPT_PASSWORD, login.password)
    }
    try handle.set(CURLOPT_CONNECT_ONLY, true)
    try handle.set(
      CURLOPT_HEADERFUNCTION,
      { bytes, size, count, receiver in
        guard let receiver else { return 0 }
        let exchange = Unmanaged<MailExchange>.fromOpaque(receiver).takeUnretainedValue()
        return exchange.greeted(UnsafeRawBufferPointer(start: bytes, count: size * count))
      }, for: CURLOPT_HEADERDATA, self)
  }

  func reply(after result: CURLcode) -> Reply? {
    guard result != CURLE_OK else {
      reader = MailReplyReader()
      outgoing = dialogue.opening[...]
      return proceed()
    }
    let isRefusal = [CURLE_LOGIN_DENIED, CURLE_WEIRD_SERVER_REPLY, CURLE_REMOTE_ACCESS_DENIED].contains(result)
    if isRefusal, let lastReply, lastReply.isNo {
      return .mail(MailReply(code: lastReply.code, text: lastReply.text))
    }
    return .failure(TransportFailure(result, of: handle, behind: gate))
  }

  /// The seconds that are left.
  var secondsLeft: Double { max(0, deadline - Moment.now) }

  /// The connection, and what to wait for on it.
  var wait: curl_waitfd {
    let events = outgoing.isEmpty ? CURL_WAIT_POLLIN : CURL_WAIT_POLLIN | CURL_WAIT_POLLOUT
    return curl_waitfd(fd: handle.socket, events: Int16(events), revents: 0)
  }

  /// Speaks as far as that goes without waiting. The reply to the transfer once there is one.
  func proceed() -> Reply? {
    do {
      while true {
        guard try send(), let bytes = try receive() else { break }
        for reply in try reader.take(bytes) {
          switch dialogue.take(reply) {
          case .send(let command): outgoing += command
          case .end(let reply):
            leave()
            return reply
          }
        }
      }
    } catch let broken as Broken {
      return .failure(TransportFailure(.talking, detail: broken.reason))
    } catch {
      return .failure(TransportFailure(.talking, detail: "what the server sent is no reply of SMTP"))
    }
    return secondsLeft > 0 ? nil : .failure(TransportFailure(.timeout, detail: "no reply from the server"))
  }

  /// The connection cannot be used any more.
  private struct Broken: Error {
    let reason: String
  }

  /// Sends what is there to send; false if the connection does not take all of it yet.
  private func send() throws(Broken) -> Bool {
    while !outgoing.isEmpty {
      var sent = 0
      let code = outgoing.withUnsafeBytes { curl_easy_send(handle.pointer, $0.baseAddress, $0.count, &sent) }
      if code == CURLE_AGAIN { return false }
      guard code == CURLE_OK else { throw Broken(reason: String(cString: curl_easy_strerror(code))) }
      outgoing = outgoing.dropFirst(sent)
    }
    return true
  }

  /// What the server has sent; nil if there is nothing yet.
  private func receive() throws(Broken) -> ArraySlice<UInt8>? {
    var received = 0
    var buffer = [UInt8](repeating: 0, count: 4096)
    let code = buffer.withUnsafeMutableBytes { curl_easy_recv(handle.pointer, $0.baseAddress, $0.count, &received) }
    if code == CURLE_AGAIN { return nil }
    guard code == CURLE_OK else { throw Broken(reason: String(cString: curl_easy_strerror(code))) }
    guard received > 0 else { throw Broken(reason: "the server closed the connection") }
    return buffer[..<received]
  }

  /// Says goodbye. Whether that arrives changes nothing: the transfer has its reply.
  private func leave() {
    var sent = 0
    _ = MailDialogue.closing.withUnsafeBytes { curl_easy_send(handle.pointer, $0.baseAddress, $0.count, &sent) }
  }

  /// A line of a reply to libcurl.
  private func greeted(_ line: UnsafeRawBufferPointer) -> Int {
    do {
      lastReply = try reader.take(line).last ?? lastReply
      return line.count
    } catch {
      return Int(CURL_WRITEFUNC_ERROR)
    }
  }
}
