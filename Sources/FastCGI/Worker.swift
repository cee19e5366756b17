import CFCGI
import Glibc

/// One FastCGI responder on libfcgi, which works on one request at a time, and may have others wait for what it does.
final class Worker {
  /// The most requests that are taken in one go, and so that are answered together: so many that what is done for all of them costs
  /// little more than for one, and so few that the first does not wait long, nor the process that is asked to end.
  private static let takenLimit = 16

  private let socket: CInt
  private let bodyLimit: Int
  private let arrivals: Arrivals
  private var idle: [Slot] = []

  /// A request in hand, and how its answer is had.
  private struct Waiting {
    let slot: Slot
    let request: Request
    let answer: () -> Response
  }

  /// Starts to listen on a socket that is bound and listening already. Of a request's content no more is read than the limit.
  ///
  /// The socket is made non-blocking: it is shared with the other workers of its pool, and one that another worker was quicker
  /// to accept must not hold this one in a call where no signal is noticed.
  init(socket: CInt, bodyLimit: Int) throws(ServerError) {
    self.socket = socket
    self.bodyLimit = bodyLimit
    arrivals = try Arrivals(socket: socket)
    let flags = fcntl(socket, F_GETFL)
    guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else {
      throw ServerError.failed(call: "fcntl", code: errno)
    }
    guard FCGX_Init() == 0 else { throw ServerError.failed(call: "FCGX_Init", code: errno) }
  }

  /// Answers the next request, and those that may be answered together with it; false once the process has been asked to end.
  ///
  /// A connection that is there already when a request has come to wait is, as a rule, one that no other worker is free for.
  func serve(
    joins: (_ waiting: Request, _ next: Request) -> Bool, answer: (Request) -> Eventual<Response>
  ) throws(ServerError) -> Bool {
    var next = try awaited()
    if next == nil { return false }
    var waiting: [Waiting] = []
    var taken = 0
    while let slot = next {
      taken += 1
      let request = slot.request(bodyLimit: bodyLimit, pause: arrivals.pause)
      if let first = waiting.first, !joins(first.request, request) { settle(&waiting) }
      switch answer(request) {
      case .alone(let response):
        settle(&waiting)
        finish(slot, request, response())
      case .together(let response):
        waiting.append(Waiting(slot: slot, request: request, answer: response))
      }
      next = waiting.isEmpty || taken == Self.takenLimit ? nil : waitingAlready()
    }
    settle(&waiting)
    return true
  }

  private func settle(_ waiting: inout [Waiting]) {
    for one in waiting { finish(one.slot, one.request, one.answer()) }
    waiting = []
  }

  private func finish(_ slot: Slot, _ request: Request, _ response: Response) {
    slot.finish(request, response)
    idle.append(slot)
  }

  /// Waits for a request; nil once the process has been asked to end.
  private func awaited() throws(ServerError) -> Slot? {
    while try arrivals.wait() == .connection {
      if let slot = try accepted() { return slot }
    }
    return nil
  }

  /// A request that is there. What keeps the worker from taking it is told when nobody waits for an answer.
  private func waitingAlready() -> Slot? {
    do {
      return try accepted()
    } catch {
      return nil
    }
  }

  /// A request that is there; nil if there is none.
  private func accepted() throws(ServerError) -> Slot? {
    let slot = idle.popLast() ?? Slot(socket: socket)
    if try slot.accept() { return slot }
    idle.append(slot)
    return nil
  }
}

/// Waits for a connection or for the wish to end, whichever comes first.
///
/// A signal handler would leave a gap: a signal that arrives just before `accept` blocks is not seen until the next request
/// comes, and one that arrives while a request is read cuts that short. Here the signals are blocked and come out of a
/// descriptor, waited for together with the socket.
private final class Arrivals {
  enum Arrival {
    case connection, termination
  }

  /// How long an idle worker may take to accept a connection, in milliseconds.
  private static let acceptance: CInt = 20

  private let poll: CInt
  private let signals: CInt
  private let socket: CInt

  init(socket: CInt) throws(ServerError) {
    self.socket = socket
    var set = sigset_t()
    sigemptyset(&set)
    for signal in [SIGTERM, SIGINT, SIGUSR1] { sigaddset(&set, signal) }
    pthread_sigmask(SIG_BLOCK, &set, nil)
    signals = signalfd(-1, &set, CInt(SFD_CLOEXEC))
    guard signals >= 0 else { throw ServerError.failed(call: "signalfd", code: errno) }
    poll = epoll_create1(CInt(EPOLL_CLOEXEC))
    guard poll >= 0 else { throw ServerError.failed(call: "epoll_create1", code: errno) }
    try watch(signals, EPOLLIN.rawValue)
    // Exclusive: a connection wakes one idle worker of the pool, not all of them.
    try watch(socket, EPOLLIN.rawValue | EPOLLEXCLUSIVE.rawValue)
  }

  deinit {
    close(poll)
    close(signals)
  }

  private func watch(_ descriptor: CInt, _ events: UInt32) throws(ServerError) {
    var event = epoll_event(events: events, data: epoll_data_t(fd: descriptor))
    guard epoll_ctl(poll, EPOLL_CTL_ADD, descriptor, &event) == 0 else {
      throw ServerError.failed(call: "epoll_ctl", code: errno)
    }
  }

  /// See ``Request/pause``.
  func pause(seconds: Double) -> Bool {
    if !isAnything(within: CInt(seconds * 1000)) { return true }
    _ = Glibc.poll(nil, 0, Self.acceptance)
    return !isAnything(within: 0)
  }

  /// Whether a connection or the wish to end is there before so many milliseconds have passed. Not by the epoll: its exclusive
  /// watch would take the wake-up that is meant for an idle worker.
  private func isAnything(within milliseconds: CInt) -> Bool {
    var descriptors = [socket, signals].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    return Glibc.poll(&descriptors, nfds_t(descriptors.count), milliseconds) > 0
  }

  func wait() throws(ServerError) -> Arrival {
    var events = [epoll_event](repeating: epoll_event(), count: 2)
    while true {
      let count = epoll_wait(poll, &events, 2, -1)
      if count > 0 { return events[..<Int(count)].contains { $0.data.fd == signals } ? .termination : .connection }
      guard errno == EINTR else { throw ServerError.failed(call: "epoll_wait", code: errno) }
    }
  }
}
