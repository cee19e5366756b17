import FastCGI
import Glibc
import Host
import Postgres
import Store

/// All that one worker program answers: the endpoints under one path.
package struct Route {
  /// The longest body that a route takes unless it says otherwise, in bytes.
  package static let usualBodyLimit = 1 << 20

  /// Where the API begins.
  static let root = "/api/v1/alerts"

  private let base: String
  private let role: DatabaseRole
  private let bodyLimit: Int
  private let endpoints: [Endpoint]

  /// The route of a noun, `/api/v1/alerts/<noun>`, with its table of endpoints.
  package init(_ noun: String, bodyLimit: Int = usualBodyLimit, _ endpoints: [Endpoint]) {
    self.init(path: "\(Self.root)/\(noun)", bodyLimit: bodyLimit, endpoints)
  }

  /// A route at a path of its own, which ends with the name of the program.
  package init(path: String, bodyLimit: Int = usualBodyLimit, _ endpoints: [Endpoint]) {
    guard let role = path.split(separator: "/").last.flatMap(DatabaseRole.init(program:)) else {
      preconditionFailure("no role in the database is that of \(path)")
    }
    self.role = role
    base = path
    self.bodyLimit = bodyLimit
    self.endpoints = endpoints.map { $0.placed(below: path) }
  }

  /// Answers requests until the web server or the supervisor ends the program. No statement may take the database longer than
  /// the timeout, in seconds. `prepare` gives the store what only this route needs of it.
  package func run(statementTimeout: Double = Timeouts().statement, prepare: (Store) throws -> Void = { _ in }) {
    Memory.keepPrivate()
    do {
      var timeouts = Timeouts()
      timeouts.statement = statementTimeout
      let store = try Store.configured(as: role, timeouts: timeouts)
      if endpoints.contains(where: \.answersWhileAway) { store.recentCallers = .configured() }
      try prepare(store)
      let authenticator = Authenticator(store: store, tokens: try TokenReader.configured())
      let limits = try RateLimits.configured()
      try Server.run(bodyLimit: bodyLimit, joins: { $1.joins($0) }) { answer($0, by: authenticator, limits: limits) }
    } catch {
      Log.error("cannot serve: \(error)")
      exit(1)
    }
  }

  /// The answer to one request, whatever happens.
  func answer(_ request: Request, by authenticator: Authenticator, limits: RateLimits?) -> Eventual<Response> {
    let store = authenticator.store
    store.actor = Actor(nil, address: request.remoteAddress)
    let eventual = EventualResponse { try endpoint(for: request).answer(request, by: authenticator, limits: limits) }
    let actor = store.actor
    return eventual.around { result in
      // Others may have been on since.
      store.actor = actor
      return response(to: request, result(), store)
    }
  }

  private func response(to request: Request, _ result: Result<Response, any Error>, _ store: Store) -> Response {
    do {
      return try result.get()
    } catch {
      let problem = Problem(error, request: request)
      if problem.isRefusal { note(problem, of: request, store: store) }
      return problem.response
    }
  }

  /// Puts a refused call on record. Where the database does not take it, it is refused all the same, and the log has it.
  private func note(_ refusal: Problem, of request: Request, store: Store) {
    let call = "\(request.method.prefix(16)) \(KeyForm.masked(in: request.path).prefix(200))"
    do {
      try store.noteRefusal(of: call, status: refusal.status.rawValue)
    } catch {
      Log.error(
        "a refused call is not in the audit log",
        [
          "request": request.id ?? "", "call": call, "status": "\(refusal.status.rawValue)",
          "actor": store.actor?.id ?? "", "address": request.remoteAddress ?? "", "error": "\(error)",
        ])
    }
  }

  private func endpoint(for request: Request) throws(Problem) -> Endpoint.Match {
    guard request.path.hasPrefix(base), let segments = segments(of: request.path.dropFirst(base.count)) else {
      throw .noSuchPath
    }
    let all = endpoints.compactMap { $0.match(segments) }
    if all.isEmpty { throw .noSuchPath }
    // A path that the table spells out is never the id of something.
    let spelledOut = all.filter { $0.parameters.isEmpty }
    let matches = spelledOut.isEmpty ? all : spelledOut
    let method = request.method == "HEAD" ? "GET" : request.method
    guard let match = matches.first(where: { $0.endpoint.method == method }) else {
      throw .methodNotAllowed(allowed: matches.map(\.endpoint.method))
    }
    return match
  }

  /// The decoded segments behind the base; nil if the path goes on otherwise or is not percent-encoded UTF-8 without NUL.
  private func segments(of rest: Substring) -> [String]? {
    guard rest.isEmpty || rest.first == "/" else { return nil }
    var decoded: [String] = []
    for segment in rest.split(separator: "/") {
      guard let text = PercentEncoding.decoded(segment.utf8), !text.utf8.contains(0) else { return nil }
      decoded.append(text)
    }
    return decoded
  }
}
