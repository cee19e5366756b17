import CPQ

/// A connection in the making. It gets on only while somebody waits for it, for once or in many short whiles.
///
/// The hosts of a URL are tried one after the other and share ``Timeouts/connect`` among them, which libpq's `connect_timeout`
/// cannot do: it counts for each host anew and is no less than 2 s. Only resolving a host's name is left to the system's resolver
/// and may take what that takes.
package final class ConnectionAttempt {
  /// How long the last host may take where nobody has given up before: a server that has just started may be slow.
  private static let longestSeconds = 5.0

  private let prepares: Bool
  private let timeouts: Timeouts
  private var hosts: ArraySlice<ConnectionOptions>
  private let secondsEach: Double
  /// The host that is being tried, until when, and whether it is its turn to be sent something.
  private var handle: OpaquePointer?
  private var end = Deadline(seconds: 0)
  private var isWriting = true
  private var reasons: [String] = []

  /// Nothing is connected yet. Throws if the URL is malformed.
  package init(url: String, prepares: Bool, timeouts: Timeouts) throws(PostgresError) {
    var options = try ConnectionOptions(url: url)
    options.complete(with: timeouts, isPooled: !prepares)
    self.prepares = prepares
    self.timeouts = timeouts
    let hosts = options.hosts
    self.hosts = hosts[...]
    secondsEach = timeouts.connect / Double(hosts.count)
  }

  deinit { PQfinish(handle) }

  /// Waits for the connection, but no longer than so many seconds: then it is nil, and the next wait goes on from there. Throws
  /// when no host can be connected to; with that the attempt has ended.
  package func connection(within seconds: Double) throws(PostgresError) -> Connection? {
    guard let handle = try connectedHandle(until: Deadline(seconds: seconds)) else { return nil }
    return Connection(handle, prepares: prepares, timeouts: timeouts)
  }

  /// As ``connection(within:)``; the caller owns it.
  func connectedHandle(until deadline: Deadline) throws(PostgresError) -> OpaquePointer? {
    while true {
      guard let current = handle else {
        try tryNextHost()
        continue
      }
      switch wait(for: PQsocket(current), orWriting: isWriting, until: min(deadline, end)) {
      case .ready:
        switch PQconnectPoll(current) {
        case PGRES_POLLING_OK:
          handle = nil
          return current
        case PGRES_POLLING_FAILED: giveUp(current, cleaned(PQerrorMessage(current)))
        case let state: isWriting = state == PGRES_POLLING_WRITING
        }
      case .timedOut:
        guard end.isOver else { return nil }
        giveUp(current, "no answer from the server")
      case .interrupted:
        break
      }
    }
  }

  private func tryNextHost() throws(PostgresError) {
    guard let host = hosts.popFirst() else { throw .unreachable(reason: reasons.joined(separator: "; ")) }
    guard let started = host.startConnecting() else { throw .unreachable(reason: "out of memory") }
    guard PQstatus(started) != CONNECTION_BAD else { return giveUp(started, cleaned(PQerrorMessage(started))) }
    handle = started
    isWriting = true
    end = Deadline(seconds: hosts.isEmpty ? max(timeouts.connect, Self.longestSeconds) : secondsEach)
  }

  private func giveUp(_ failed: OpaquePointer, _ reason: String) {
    reasons.append(reason)
    PQfinish(failed)
    handle = nil
  }
}
