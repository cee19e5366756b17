import FastCGI
import Postgres
import Store

/// One line of a route's table: method and path, and what happens. Who may call it stands in the ``RoleTable``.
package struct Endpoint {
  let method: String
  private let path: String
  private let pattern: [Substring]
  private let access: Access
  /// What the caller's role has to include, where a key is needed at all; as much as can be until the role table is asked.
  private var permission = Permission.administer

  /// What answers a call, by itself or together with others.
  package typealias Handle = (Call) throws -> EventualResponse

  /// What answers a call of a remembered key while the database is away, for the reason given.
  package typealias HandleAway = (Call, PostgresError) throws -> Response

  private enum Access {
    case open((Request, Store) throws -> Response)
    case keyed(Handle, whileAway: HandleAway? = nil)
  }

  /// `GET`, and `HEAD` with it. The path goes on behind the route's; `{policy_id}` stands for any one segment.
  package static func get(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("GET", path, alone: handle)
  }

  /// `POST`.
  package static func post(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("POST", path, alone: handle)
  }

  /// `POST` that has an answer of its own while the database is away, and may have to do with a caller that is only presumed.
  package static func post(
    _ path: String, whileAway handleAway: @escaping HandleAway, _ handle: @escaping Handle
  ) -> Endpoint {
    Endpoint("POST", path, .keyed(handle, whileAway: handleAway))
  }

  /// `PUT`.
  package static func put(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("PUT", path, alone: handle)
  }

  /// `DELETE`.
  package static func delete(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("DELETE", path, alone: handle)
  }

  /// `GET` for everybody, without a key.
  package static func openGet(_ path: String, _ handle: @escaping (Request, Store) throws -> Response) -> Endpoint {
    Endpoint("GET", path, .open(handle))
  }

  /// The endpoint as a part of a route, with the permission that the role table has for it.
  func placed(below base: String) -> Endpoint {
    guard case .keyed = access else { return self }
    var endpoint = self
    endpoint.permission = RoleTable.permission(method, path.isEmpty ? base : "\(base)/\(path)")
    return endpoint
  }

  /// Whether it has an answer of its own while the database is away.
  var answersWhileAway: Bool {
    guard case .keyed(_, let handleAway) = access else { return false }
    return handleAway != nil
  }

  private init(_ method: String, _ path: String, alone handle: @escaping (Call) throws -> Response) {
    self.init(method, path, .keyed { call in .alone { Result { try handle(call) } } })
  }

  private init(_ method: String, _ path: String, _ access: Access) {
    self.method = method
    self.path = path
    pattern = path.split(separator: "/")
    self.access = access
  }

  /// An endpoint that a path leads to, with the values of its `{…}` in order.
  struct Match {
    let endpoint: Endpoint
    let parameters: [String]

    func answer(_ request: Request, by authenticator: Authenticator, limits: RateLimits?) throws -> EventualResponse {
      switch endpoint.access {
      case .open(let handle):
        return .alone { Result { try handle(request, authenticator.store) } }
      case .keyed(let handle, let handleAway):
        if handleAway != nil, let presumption = try authenticator.presumption(of: request) {
          return answer(request, presuming: presumption, authenticator, limits, handle)
        }
        return .alone { EventualResponse { try answer(request, authenticator, limits, handle, handleAway) }.value }
      }
    }

    /// The answer to a caller that is still to be looked up.
    private func answer(
      _ request: Request, _ authenticator: Authenticator, _ limits: RateLimits?, _ handle: Endpoint.Handle,
      _ handleAway: Endpoint.HandleAway?
    ) throws -> EventualResponse {
      let authentication: Authentication
      do {
        authentication = try authenticator.authentication(of: request)
      } catch let error as PostgresError where error.isUnreachable {
        guard let handleAway, let recent = try authenticator.recentAuthentication(of: request) else { throw error }
        return try answer(request, recent, authenticator, limits) { call in
          .alone { Result { try handleAway(call, error) } }
        }
      }
      return try answer(request, authentication, authenticator, limits, handle)
    }

    /// The answer to a caller that is presumed; of whatever is wrong, that the caller is let in no more is told first.
    private func answer(
      _ request: Request, presuming presumption: Presumption, _ authenticator: Authenticator, _ limits: RateLimits?,
      _ handle: Endpoint.Handle
    ) -> EventualResponse {
      EventualResponse {
        try answer(request, .granted(presumption.caller), authenticator, limits, presumption: presumption, handle)
      }
      .map { result in
        result.flatMapError { error in
          Result {
            try presumption.check()
            throw error
          }
        }
      }
    }

    /// The answer to whoever is let in. One that is known is counted before anything is refused, and told of the limits.
    private func answer(
      _ request: Request, _ authentication: Authentication, _ authenticator: Authenticator, _ limits: RateLimits?,
      presumption: Presumption? = nil, _ handle: Endpoint.Handle
    ) throws -> EventualResponse {
      let store = authenticator.store
      let known = try Authenticator.caller(authentication, of: request)
      store.actor = Actor(known, address: request.remoteAddress)
      let caller: Caller
      do {
        caller = try authenticator.placed(known, by: request)
      } catch {
        throw Problem(error, request: request).with(try limits?.count(known) ?? [])
      }
      store.actor = Actor(caller, address: request.remoteAddress)
      let fields = try limits?.count(caller) ?? []
      return EventualResponse {
        try handle(
          Call(
            request, from: caller, parameters: parameters, store: store, permission: endpoint.permission,
            presumption: presumption))
      }
      .map { $0.with(fields, request) }
    }
  }

  /// Whether the segments fit the pattern.
  func match(_ segments: [String]) -> Match? {
    guard segments.count == pattern.count else { return nil }
    var parameters: [String] = []
    for (wanted, segment) in zip(pattern, segments) {
      if wanted.hasPrefix("{") {
        parameters.append(segment)
      } else if wanted != segment {
        return nil
      }
    }
    return Match(endpoint: self, parameters: parameters)
  }
}
