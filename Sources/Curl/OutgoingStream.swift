import CCurl
import Delivery
import Glibc

/// A connection over which bytes go out and nothing is expected back. libcurl makes it and secures it.
///
/// Nobody answers over it, so all that can be known of the bytes is that the other host has them: TCP acknowledges them before the
/// program there reads them.
package final class OutgoingStream {
  private static let secondsToConnect = 10
  /// How often is read, 4 KiB each, to see whether the other side has ended the connection: there is nothing that it should say.
  private static let readsPerCheck = 16

  private let handle: EasyHandle
  private let gate = AddressGate(policy: .everywhere)

  /// Connects, to whatever the machine reaches: the operator names the place. The host's certificate is checked where the address
  /// asks for TLS.
  ///
  /// - Parameters:
  ///   - address: Where to.
  ///   - authorities: A file of certificates in PEM to trust instead of the system's; nil or empty for the system's.
  ///   - certificate: What is shown to a host that asks in TLS who this is; nil for nothing.
  /// - Throws: Why there is no connection, within ten seconds.
  package init(
    to address: StreamAddress, authorities: String? = nil, showing certificate: ClientCertificate? = nil
  ) throws(StreamFailure) {
    let result: CURLcode
    do {
      try QueueFailure.check(Library.setUp)
      handle = try EasyHandle()
      let settings = ConnectionSettings(
        addresses: .everywhere, authorities: authorities.flatMap { $0.isEmpty ? nil : $0 })
      try settings.apply(
        to: handle, gate: gate, protocols: "http,https", seconds: Self.secondsToConnect, verifiesTLS: true)
      // No word of HTTP is spoken: it connects, and says in TLS what it connects for.
      try handle.set(CURLOPT_CONNECT_ONLY, true)
      try handle.set(CURLOPT_SSL_ENABLE_ALPN, false)
      try handle.set(CURLOPT_URL, (address.isSecure ? "https://" : "http://") + address.authority)
      // A host that is gone is noticed even if nothing is sent: after a minute and a half.
      try handle.set(CURLOPT_TCP_KEEPALIVE, true)
      try handle.set(CURLOPT_TCP_KEEPIDLE, 30)
      try handle.set(CURLOPT_TCP_KEEPINTVL, 7)
      try certificate?.apply(to: handle)
      result = curl_easy_perform(handle.pointer)
    } catch let refused as EasyHandle.Refused {
      throw StreamFailure(TransportFailure(refused))
    } catch {
      throw StreamFailure("\(error)")
    }
    guard result == CURLE_OK else { throw StreamFailure(TransportFailure(result, of: handle, behind: gate)) }
  }

  /// Hands all of the bytes to the connection and waits until the other host has them.
  ///
  /// - Throws: If the connection is over, or that takes longer than so many seconds. Nobody knows how many of the bytes have
  ///   arrived then, and the stream is of no use any more.
  package func send(_ bytes: [UInt8], within seconds: Double) throws(StreamFailure) {
    let deadline = Moment.now + seconds
    var sent = 0
    while sent < bytes.count {
      try check()
      let count = try send(bytes, from: sent)
      sent += count
      if count == 0 { try wait(for: POLLIN | POLLOUT, until: deadline) }
    }
    var pause = 0.001
    while try unacknowledged() > 0 {
      try check()
      // Nothing tells when an acknowledgement comes in.
      try wait(for: POLLIN, until: deadline, atMost: pause)
      pause = min(pause * 2, 0.05)
    }
    try check()
  }

  /// Makes sure that the connection is still there, as far as one side can know. What the other side says is passed over.
  package func check() throws(StreamFailure) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<Self.readsPerCheck {
      var received = 0
      let code = buffer.withUnsafeMutableBytes { curl_easy_recv(handle.pointer, $0.baseAddress, $0.count, &received) }
      if code == CURLE_AGAIN { return }
      guard code == CURLE_OK else { throw broken }
      if received == 0 { throw StreamFailure("the other side closed the connection") }
    }
  }

  /// Sends as much as goes without waiting. After a try in vain the same bytes have to be sent from the same place in memory
  /// (SSL_write(3)), where the array keeps them.
  private func send(_ bytes: [UInt8], from start: Int) throws(StreamFailure) -> Int {
    var sent = 0
    let code = bytes.withUnsafeBytes {
      curl_easy_send(handle.pointer, $0.baseAddress.map { $0 + start }, $0.count - start, &sent)
    }
    if code == CURLE_AGAIN { return 0 }
    guard code == CURLE_OK else { throw broken }
    return sent
  }

  /// How many bytes the other host has not acknowledged: SIOCOUTQ of tcp(7), by its older name.
  private func unacknowledged() throws(StreamFailure) -> Int {
    var count: CInt = 0
    guard ioctl(handle.socket, UInt(TIOCOUTQ), &count) == 0 else { throw broken }
    return Int(count)
  }

  /// libcurl has an error of the system or of TLS to tell, such as that the other side wants a certificate; never what was sent.
  private var broken: StreamFailure {
    StreamFailure("the connection broke" + (handle.errorMessage.isEmpty ? "" : ": \(handle.errorMessage)"))
  }

  private func wait(
    for events: CInt, until deadline: Double, atMost pause: Double = .infinity
  ) throws(StreamFailure) {
    let left = deadline - Moment.now
    guard left > 0 else { throw StreamFailure("the other side does not take what is sent") }
    var descriptor = pollfd(fd: handle.socket, events: Int16(events), revents: 0)
    poll(&descriptor, 1, CInt((min(left, pause) * 1000).rounded(.up)))
  }
}

/// By what this side tells in TLS who it is. The files are read for each connection, so new ones hold from the next one on.
package struct ClientCertificate: Sendable {
  private let certificateFile: String
  private let keyFile: String

  /// A certificate in PEM, with those between it and its authority behind it, and the file of its key, which has no password.
  package init(certificateFile: String, keyFile: String) {
    (self.certificateFile, self.keyFile) = (certificateFile, keyFile)
  }

  func apply(to handle: EasyHandle) throws(EasyHandle.Refused) {
    try handle.set(CURLOPT_SSLCERT, certificateFile)
    try handle.set(CURLOPT_SSLKEY, keyFile)
    // OpenSSL would ask whoever sits at a terminal.
    try handle.set(CURLOPT_KEYPASSWD, "")
  }
}

/// Why a stream is of no use.
package struct StreamFailure: Error, CustomStringConvertible {
  /// In words.
  package let description: String

  init(_ description: String) { self.description = description }

  init(_ failure: TransportFailure) { description = "\(failure.stage.told): \(failure.detail)" }
}
