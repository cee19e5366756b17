import CCurl
import Delivery

/// An HTTP request and its answer.
final class HTTPExchange: Exchange {
  let handle: EasyHandle
  private let gate: AddressGate
  private var answer = HTTPAnswer()

  /// The most seconds until a receiver has taken the connection; one that is up does so in far less.
  private static let secondsToConnect = 10

  init(_ transfer: HTTPTransfer, on handle: EasyHandle, settings: ConnectionSettings) throws(EasyHandle.Refused) {
    self.handle = handle
    gate = AddressGate(policy: settings.addresses)
    try settings.apply(
      to: handle, gate: gate, protocols: "http,https", seconds: transfer.timeoutSeconds,
      verifiesTLS: transfer.verifiesTLS)
    try handle.set(CURLOPT_CONNECTTIMEOUT, Self.secondsToConnect)
    // A request of its own on each connection: what breaks a connection then fails one delivery, not several.
    try handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    try handle.set(CURLOPT_FOLLOWLOCATION, false)
    try handle.set(CURLOPT_URL, transfer.url)
    try handle.set(body: transfer.body)
    try handle.set(CURLOPT_CUSTOMREQUEST, transfer.method)
    try handle.set(CURLOPT_USERAGENT, "Tocsin")
    // libcurl would wait up to a second for leave to send a large body.
    try handle.set(CURLOPT_HTTPHEADER, transfer.headers.map(Self.line) + ["Expect:"])
    try handle.set(
      CURLOPT_HEADERFUNCTION, { HTTPExchange.receive($0, $1 * $2, $3) { $0.answer.take(line: $1) } },
      for: CURLOPT_HEADERDATA, self)
    try handle.set(
      CURLOPT_WRITEFUNCTION, { HTTPExchange.receive($0, $1 * $2, $3) { $0.answer.take(body: $1) } },
      for: CURLOPT_WRITEDATA, self)
  }

  func reply(after result: CURLcode) -> Reply? {
    let status = handle.responseCode
    let isTaken = result == CURLE_OK || result == CURLE_WRITE_ERROR && answer.isCut
    if isTaken && answer.header == .whole { return .http(answer.reply(status: status)) }
    let failure = failure(after: result)
    guard status != 0 else { return .failure(failure) }
    return .failure(TransportFailure(failure.stage, detail: "\(failure.detail), after a status of \(status)"))
  }

  private func failure(after result: CURLcode) -> TransportFailure {
    switch result {
    // libcurl takes a header that breaks off for a whole one.
    case CURLE_OK: TransportFailure(CURLE_PARTIAL_FILE, of: handle, behind: gate)
    // The second is how libcurl says it of a single field.
    case CURLE_WRITE_ERROR where answer.header == .tooLong, CURLE_OUT_OF_MEMORY where answer.header == .begun:
      TransportFailure(.talking, detail: "the answer's header is too long")
    // Once a request has been sent, it is the answer's protocol that is none.
    case CURLE_UNSUPPORTED_PROTOCOL where handle.hasSent:
      TransportFailure(.talking, detail: "what came is no answer of HTTP")
    default: TransportFailure(result, of: handle, behind: gate)
    }
  }

  /// A header field as libcurl takes it: a colon with nothing behind would keep the field from being sent.
  private static func line(_ header: HTTPTransfer.Header) -> String {
    header.value.isEmpty ? header.name + ";" : "\(header.name): \(header.value)"
  }

  /// Hands on what libcurl received; its own count back means go on, any other stop.
  private static func receive(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ receiver: UnsafeMutableRawPointer?,
    _ take: (HTTPExchange, UnsafeRawBufferPointer) -> Bool
  ) -> Int {
    guard let receiver else { return 0 }
    let exchange = Unmanaged<HTTPExchange>.fromOpaque(receiver).takeUnretainedValue()
    let isWanted = take(exchange, UnsafeRawBufferPointer(start: bytes, count: count))
    return isWanted ? count : Int(CURL_WRITEFUNC_ERROR)
  }
}
