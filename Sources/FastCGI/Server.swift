import CFCGI
import Glibc

/// Why a worker cannot serve.
package enum ServerError: Error, Equatable, Sendable, CustomStringConvertible {
  /// Standard input is no listening socket and the environment describes no CGI request: somebody started it by hand.
  case notStartedByWebServer
  /// A system call failed; its name and `errno`.
  case failed(call: String, code: CInt)

  package var description: String {
    switch self {
    case .notStartedByWebServer:
      "this program answers web requests: start it with a listening socket as its standard input (FastCGI), "
        + "or from a web server that speaks CGI"
    case .failed(let call, let code): "\(call): \(String(cString: strerror(code)))"
    }
  }
}

/// The loop of a worker: one request after the other, or some together, answered by a function.
///
/// With a listening socket as file descriptor 0 it speaks FastCGI until SIGTERM, SIGINT or SIGUSR1, finishing the requests in
/// hand. Otherwise it is a plain CGI program and answers the one request that the environment and standard input describe.
package enum Server {
  /// Answers requests until the process is asked to end. Of a request's content no more is read than the limit, in bytes, and
  /// nothing of one that is announced to be longer.
  package static func run(bodyLimit: Int, answer: (Request) -> Response) throws(ServerError) {
    try run(
      bodyLimit: bodyLimit, joins: { _, _ in false },
      answer: { request in
        let response = answer(request)
        return .alone { response }
      })
  }

  /// The same where requests may be answered together: one that is to be, and those after it that are there already and `joins`
  /// says so of. It waits for nobody who is still to come.
  package static func run(
    bodyLimit: Int, joins: (_ waiting: Request, _ next: Request) -> Bool, answer: (Request) -> Eventual<Response>
  ) throws(ServerError) {
    if FCGX_IsCGI() != 0 {
      try PlainCGI.run(bodyLimit: bodyLimit) { answer($0).value }
    } else {
      let worker = try Worker(socket: 0, bodyLimit: bodyLimit)
      while try worker.serve(joins: joins, answer: answer) {}
    }
  }
}
