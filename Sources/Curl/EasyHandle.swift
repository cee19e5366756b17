import CCurl

/// Owns one of libcurl's easy handles, with what its options point to.
final class EasyHandle {
  let pointer: UnsafeMutableRawPointer
  private let message = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
  private var lists: [UnsafeMutablePointer<curl_slist>] = []

  /// What libcurl would not take.
  struct Refused: Error {
    let code: CURLcode

    static let noMemory = Refused(code: CURLE_OUT_OF_MEMORY)
  }

  /// Fails only if there is no memory.
  init() throws(Refused) {
    guard let pointer = curl_easy_init() else {
      message.deallocate()
      throw .noMemory
    }
    self.pointer = pointer
  }

  deinit {
    curl_easy_cleanup(pointer)
    lists.forEach(curl_slist_free_all)
    message.deallocate()
  }

  /// Forgets all options; connections, which belong to the queue, stay.
  func reset() {
    curl_easy_reset(pointer)
    lists.forEach(curl_slist_free_all)
    lists = []
  }

  /// What libcurl last said of a failure; empty where it said nothing.
  var errorMessage: String { String(cString: message) }

  func set(_ option: CURLoption, _ value: Int) throws(Refused) { try check(CCurl_setLong(pointer, option, value)) }

  func set(_ option: CURLoption, _ value: Bool) throws(Refused) { try set(option, value ? 1 : 0) }

  /// Nil where libcurl's default is to be no value at all.
  func set(_ option: CURLoption, _ value: String?) throws(Refused) { try check(CCurl_setText(pointer, option, value)) }

  func set(_ option: CURLoption, _ values: [String]) throws(Refused) {
    var list: UnsafeMutablePointer<curl_slist>?
    for value in values {
      guard let longer = curl_slist_append(list, value) else {
        curl_slist_free_all(list)
        throw .noMemory
      }
      list = longer
    }
    if let list { lists.append(list) }
    try check(CCurl_setList(pointer, option, list))
  }

  /// The body of a request; libcurl makes a copy.
  func set(body: [UInt8]) throws(Refused) {
    try set(CURLOPT_POSTFIELDSIZE, body.count)
    let code = body.withUnsafeBytes {
      CCurl_setPointer(pointer, CURLOPT_COPYPOSTFIELDS, UnsafeMutableRawPointer(mutating: $0.baseAddress))
    }
    try check(code)
  }

  /// What is called with data, and the object it is called for, which must outlive the transfer.
  func set(
    _ option: CURLoption, _ writer: curl_write_callback, for dataOption: CURLoption, _ receiver: AnyObject
  ) throws(Refused) {
    try check(CCurl_setWriter(pointer, option, writer))
    try check(CCurl_setPointer(pointer, dataOption, Unmanaged.passUnretained(receiver).toOpaque()))
  }

  /// What opens sockets, and the object it opens them for, which must outlive the transfer.
  func set(socketOpener: curl_opensocket_callback, for opener: AnyObject) throws(Refused) {
    try check(CCurl_setSocketOpener(pointer, socketOpener))
    try check(CCurl_setPointer(pointer, CURLOPT_OPENSOCKETDATA, Unmanaged.passUnretained(opener).toOpaque()))
  }

  /// Has libcurl write its error messages where ``errorMessage`` finds them.
  func keepErrorMessages() throws(Refused) {
    message.initialize(to: 0)
    try check(CCurl_setPointer(pointer, CURLOPT_ERRORBUFFER, message))
  }

  /// The last status or reply code; 0 where there was none.
  var responseCode: Int {
    var code = 0
    _ = CCurl_getLong(pointer, CURLINFO_RESPONSE_CODE, &code)
    return code
  }

  /// Whether an HTTP request has been sent.
  var hasSent: Bool {
    var bytes = 0
    _ = CCurl_getLong(pointer, CURLINFO_REQUEST_SIZE, &bytes)
    return bytes > 0
  }

  /// The socket of a connection that libcurl has left to its caller; -1 where there is none.
  var socket: CInt {
    var socket: CInt = -1
    _ = CCurl_getSocket(pointer, &socket)
    return socket
  }

  private func check(_ code: CURLcode) throws(Refused) {
    if code != CURLE_OK { throw Refused(code: code) }
  }
}
