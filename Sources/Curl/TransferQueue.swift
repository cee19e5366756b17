import CCurl
import Delivery
import Glibc

/// Carries many transfers at once, in one thread: a slow receiver delays no other.
///
/// `Tag` is what the caller knows a transfer by. While there is a queue the process ignores SIGPIPE: TLS writes to
/// connections that the other side may have closed.
package final class TransferQueue<Tag> {
  private let multi: UnsafeMutableRawPointer
  private let settings: ConnectionSettings
  private var idle: [EasyHandle] = []
  private var underWay: [UnsafeMutableRawPointer: Item] = [:]
  /// Those of them whose connection libcurl has handed over.
  private var speaking: [UnsafeMutableRawPointer: MailExchange] = [:]
  private var finished: [(tag: Tag, reply: Reply)] = []

  /// When the queue was last left.
  private var leftAt = Moment.now

  private struct Item {
    let exchange: any Exchange
    let tag: Tag
    let addedAt: Double
    /// When its time is over.
    let deadline: Double
    /// Whether that has been put off.
    var isPutOff = false
  }

  /// In seconds; less matters to no transfer.
  private static var shortestAbsence: Double { 0.05 }
  /// For how long what has come is read behind a deadline that nobody saw go by, and how often to look for such: libcurl's timers
  /// do not move with it.
  private static var secondsToRead: Double { 1 }

  /// A queue whose transfers reach only addresses that the policy allows.
  ///
  /// - Parameters:
  ///   - addresses: The policy.
  ///   - authorities: A file of certificates in PEM to trust instead of the system's; nil or empty for the system's.
  /// - Throws: If libcurl cannot be set up.
  package init(addresses: AddressPolicy, authorities: String? = nil) throws(QueueFailure) {
    try QueueFailure.check(Library.setUp)
    guard let multi = curl_multi_init() else { throw QueueFailure(CURLM_OUT_OF_MEMORY) }
    self.multi = multi
    settings = ConnectionSettings(addresses: addresses, authorities: authorities.flatMap { $0.isEmpty ? nil : $0 })
  }

  deinit {
    for item in underWay.values { curl_multi_remove_handle(multi, item.exchange.handle.pointer) }
    curl_multi_cleanup(multi)
  }

  /// The transfers that have been added and not been given back with their reply.
  package var count: Int { underWay.count + finished.count }

  /// Takes a transfer on. It begins with the next ``wait(seconds:orReadable:)``, which must follow soon: its time runs.
  package func add(_ transfer: Transfer, tag: Tag) {
    do throws(EasyHandle.Refused) {
      try start(transfer, tag)
    } catch {
      finished.append((tag, .failure(TransportFailure(error))))
    }
  }

  private func start(_ transfer: Transfer, _ tag: Tag) throws(EasyHandle.Refused) {
    let handle = if let idle = idle.popLast() { idle } else { try EasyHandle() }
    do throws(EasyHandle.Refused) {
      let exchange: any Exchange =
        switch transfer {
        case .http(let transfer): try HTTPExchange(transfer, on: handle, settings: settings)
        case .mail(let transfer): try MailExchange(transfer, on: handle, settings: settings)
        }
      // This fails for want of memory alone.
      guard curl_multi_add_handle(multi, handle.pointer) == CURLM_OK else { throw .noMemory }
      let now = Moment.now
      underWay[handle.pointer] = Item(
        exchange: exchange, tag: tag, addedAt: now, deadline: now + Double(transfer.timeoutSeconds))
    } catch {
      retire(handle)
      throw error
    }
  }

  /// Carries the transfers on until some are finished, one of the descriptors is readable or the time is over.
  ///
  /// - Parameters:
  ///   - seconds: The most to wait; with 0 it only does what can be done at once.
  ///   - descriptors: What else to wake up for, such as the socket of a database connection.
  /// - Returns: The transfers that are finished, each with its reply; empty if there are none yet.
  /// - Throws: If libcurl cannot go on.
  package func wait(
    seconds: Double, orReadable descriptors: [CInt] = []
  ) throws(QueueFailure) -> [(tag: Tag, reply: Reply)] {
    try makeUpForAbsence()
    let deadline = Moment.now + seconds
    while true {
      try proceed()
      let left = deadline - Moment.now
      if !finished.isEmpty || left <= 0 { break }
      if try poll(seconds: min(left, Self.secondsToRead), descriptors) {
        try proceed()
        break
      }
    }
    defer { (finished, leftAt) = ([], Moment.now) }
    return finished
  }

  /// Puts deadlines off, once, that went by while nobody served the queue: what has come meanwhile has come in time, and to have it
  /// sent again would be to send it twice.
  private func makeUpForAbsence() throws(QueueFailure) {
    let now = Moment.now
    guard now - leftAt > Self.shortestAbsence else { return }
    for (pointer, item) in underWay where !item.isPutOff && (leftAt..<now).contains(item.deadline) {
      underWay[pointer]?.isPutOff = true
      do throws(EasyHandle.Refused) {
        try item.exchange.handle.set(CURLOPT_TIMEOUT_MS, Int((now + Self.secondsToRead - item.addedAt) * 1000))
      } catch {
        throw QueueFailure(CURLM_INTERNAL_ERROR)
      }
    }
  }

  /// Lets every transfer do what it can without waiting.
  private func proceed() throws(QueueFailure) {
    var running: CInt = 0
    try QueueFailure.check(curl_multi_perform(multi, &running))
    var left: CInt = 0
    while let message = curl_multi_info_read(multi, &left) {
      guard let handle = message.pointee.easy_handle, let item = underWay[handle] else { continue }
      if let reply = item.exchange.reply(after: message.pointee.data.result) {
        finish(handle, reply)
      } else {
        speaking[handle] = item.exchange as? MailExchange
      }
    }
    for (handle, exchange) in speaking {
      if let reply = exchange.proceed() { finish(handle, reply) }
    }
  }

  private func finish(_ pointer: UnsafeMutableRawPointer, _ reply: Reply) {
    speaking[pointer] = nil
    curl_multi_remove_handle(multi, pointer)
    guard let item = underWay.removeValue(forKey: pointer) else { return }
    retire(item.exchange.handle)
    finished.append((item.tag, reply))
  }

  private func retire(_ handle: EasyHandle) {
    handle.reset()
    idle.append(handle)
  }

  /// Waits for anything to happen; tells whether one of the descriptors has become readable.
  private func poll(seconds: Double, _ descriptors: [CInt]) throws(QueueFailure) -> Bool {
    let limit = speaking.values.reduce(seconds) { min($0, $1.secondsLeft) }
    let milliseconds = CInt(min(limit * 1000, 3_600_000).rounded(.up))
    var waits = descriptors.map { curl_waitfd(fd: $0, events: Int16(CURL_WAIT_POLLIN), revents: 0) }
    waits += speaking.values.map(\.wait)
    try QueueFailure.check(curl_multi_poll(multi, &waits, CUnsignedInt(waits.count), milliseconds, nil))
    return waits.prefix(descriptors.count).contains { $0.revents != 0 }
  }
}

/// libcurl cannot go on, for want of memory or by a fault in its use; no transfer is to blame.
package struct QueueFailure: Error, CustomStringConvertible {
  /// What libcurl says.
  package let description: String

  init(_ code: CURLMcode) { description = "libcurl: " + String(cString: curl_multi_strerror(code)) }

  static func check(_ code: CURLMcode) throws(QueueFailure) {
    if code != CURLM_OK { throw QueueFailure(code) }
  }
}
