import CCurl
import Delivery

/// A transfer under way on a handle of its own. libcurl calls it back, so it must live until the handle has left the
/// queue.
protocol Exchange: AnyObject {
  var handle: EasyHandle { get }

  /// What came of the transfer, when libcurl has ended its part; nil if there is more to do.
  func reply(after result: CURLcode) -> Reply?
}

/// What holds for all transfers of a queue.
struct ConnectionSettings {
  let addresses: AddressPolicy
  /// A file of certificates to trust instead of the system's.
  let authorities: String?

  /// Sets up a handle for connections of these protocols (libcurl's names, comma-separated).
  func apply(
    to handle: EasyHandle, gate: AddressGate, protocols: String, seconds: Int, verifiesTLS: Bool
  ) throws(EasyHandle.Refused) {
    try handle.keepErrorMessages()
    try handle.set(CURLOPT_PROTOCOLS_STR, protocols)
    // Timeouts by signal would be for the whole process.
    try handle.set(CURLOPT_NOSIGNAL, true)
    // Without this a transfer that is given up waits for the thread that looks up its name, and the queue with it.
    try handle.set(CURLOPT_QUICK_EXIT, true)
    // Not even one from the environment: the address of a connection would be the proxy's.
    try handle.set(CURLOPT_PROXY, "")
    try handle.set(CURLOPT_TIMEOUT_MS, seconds * 1000)
    try handle.set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
    try handle.set(CURLOPT_SSL_VERIFYPEER, verifiesTLS)
    try handle.set(CURLOPT_SSL_VERIFYHOST, verifiesTLS ? 2 : 0)
    // The system's certificates are in a file and, one by one, in a folder. Without the folder libcurl keeps what it
    // has read: 1 ms of computing for a new connection in place of 20 (measured).
    try handle.set(CURLOPT_CAPATH, nil)
    if let authorities { try handle.set(CURLOPT_CAINFO, authorities) }
    try gate.guardConnections(of: handle)
  }
}
