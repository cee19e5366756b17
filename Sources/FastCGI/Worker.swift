import CFCGI
import Glibc

/// One FastCGI responder on libfcgi: owns the one request it works on at a time.
final class Worker {
  private let arrivals: Arrivals
  private let request: UnsafeMutablePointer<FCGX_Request>

  /// Starts to listen on a socket that is bound and listening already.
  ///
  /// The socket is made non-blocking: it is shared with the other workers of its pool, and one that another worker was quicker
  /// to accept must not hold this one in a call where no signal is noticed.
  init(socket: CInt) throws(ServerError) {
    arrivals = try Arrivals(socket: socket)
    let flags = fcntl(socket, F_GETFL)
    guard flags >= 0, fcntl(socket, F_SETFL, flags | O_NONBLOCK) == 0 else {
      throw ServerError.failed(call: "fcntl", code: errno)
    }
    guard FCGX_Init() == 0 else { throw ServerError.failed(call: "FCGX_Init", code: errno) }
    request = .allocate(capacity: 1)
    FCGX_InitRequest(request, socket, FCGI_FAIL_ACCEPT_ON_INTR)
  }

  deinit {
    FCGX_Free(request, 1)
    request.deallocate()
  }

  /// Waits for the next request; false once the process has been asked to end.
  func accept() throws(ServerError) -> Bool {
    while try arrivals.wait() == .connection {
      let code = FCGX_Accept_r(request)
      if code == 0 { return true }
      guard -code == EAGAIN || -code == EINTR || -code == ECONNABORTED else {
        throw ServerError.failed(call: "FCGX_Accept_r", code: -code)
      }
    }
    return false
  }

  /// Answers the request that was accepted and closes its connection. Whether the web server still listens is its own affair.
  func serve(bodyLimit: Int, answer: (Request) -> Response) {
    let variables = variables()
    var received = Request(variables)
    received.body = Body(limit: bodyLimit, announced: variables[.contentLength], fill: read)
    received.pause = arrivals.pause
    let response = answer(received)
    write(response.head)
    if received.method != "HEAD" { write(response.body) }
    finish(received.body)
  }

  /// Sends what is left of the answer and closes the connection.
  ///
  /// libfcgi first waits, for up to 2 s, until the web server has closed its end: to close one that has something unread may
  /// take the answer back. There is no need for that where all has been read, the end of the content with it.
  private func finish(_ body: Body) {
    if body.isRead, FCGX_GetChar(request.pointee.in) < 0 { FCGX_Detach(request) }
    FCGX_Finish_r(request)
  }

  /// Reads the content of the request in hand.
  private func read(into memory: UnsafeMutableBufferPointer<UInt8>) -> Int {
    memory.withMemoryRebound(to: CChar.self) { characters in
      var count = 0
      while count < characters.count, let start = characters.baseAddress {
        let wanted = CInt(clamping: characters.count - count)
        let got = FCGX_GetStr(start + count, wanted, request.pointee.in)
        count += Int(got)
        if got < wanted { break }
      }
      return count
    }
  }

  /// libfcgi searches its list from the front for each name that is asked for, so it is walked once here instead. A web server
  /// passes a header that was not sent as an empty one or not at all; it is the same here.
  private func variables() -> [Variable: String] {
    var variables: [Variable: String] = [:]
    guard var entry = request.pointee.envp else { return variables }
    while let text = entry.pointee {
      if let equals = strchr(text, CInt(UInt8(ascii: "="))) {
        let name = UnsafeRawBufferPointer(start: text, count: equals - text)
        if let variable = Variable(rawValue: String(decoding: name, as: UTF8.self)), equals[1] != 0 {
          variables[variable] = String(cString: equals + 1)
        }
      }
      entry += 1
    }
    return variables
  }

  private func write(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer.bindMemory(to: CChar.self)[...]
      while !rest.isEmpty {
        let part = UnsafeBufferPointer(rebasing: rest.prefix(1 << 30))
        guard FCGX_PutStr(part.baseAddress, CInt(part.count), request.pointee.out) >= 0 else { return }
        rest = rest.dropFirst(part.count)
      }
    }
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
