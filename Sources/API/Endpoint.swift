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

  /// What answers a call of a remembered key while the database is away, for the reason given.
  package typealias HandleAway = (Call, PostgresError) throws -> Response

  private enum Access {
    case open((Request, Store) throws -> Response)
    case keyed((Call) throws -> Response, whileAway: HandleAway? = nil)
  }

  /// `GET`, and `HEAD` with it. The path goes on behind the route's; `{policy_id}` stands for any one segment.
  package static func get(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("GET", path, .keyed(handle))
  }

  /// `POST`.
  package static func post(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("POST", path, .keyed(handle))
  }

  /// `POST` that has an answer of its own while the database is away.
  package static func post(
    _ path: String, whileAway handleAway: @escaping HandleAway,
    _ handle: @escaping (Call) throws -> Response
  ) -> Endpoint {
    Endpoint("POST", path, .keyed(handle, whileAway: handleAway))
  }

  /// `PUT`.
  package static func put(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("PUT", path, .keyed(handle))
  }

  /// `DELETE`.
  package static func delete(_ path: String, _ handle: @escaping (Call) throws -> Response) -> Endpoint {
    Endpoint("DELETE", path, .keyed(handle))
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

    func answer(_ request: Request, by authenticator: Authenticator, limits: RateLimits?) throws -> Response {
      let store = authenticator.store
      switch endpoint.access {
      case .open(let handle):
        return try handle(request, store)
      case .keyed(let handle, let handleAway):
        let permission = endpoint.permission
        let call: Call
        do {
          call = try Call(
            request, authenticator.authentication(of: request), parameters: parameters, store: store,
            permission: permission)
        } catch let error as PostgresError where error.isUnreachable {
          guard let handleAway, let authentication = try authenticator.recentAuthentication(of: request) else {
            throw error
          }
          let call = try Call(request, authentication, parameters: parameters, store: store, permission: permission)
          return try limited(call, by: limits) { try handleAway($0, error) }
        }
        return try limited(call, by: limits, handle)
      }
    }

    /// The answer to a call that is within the limits, which it tells of.
    private func limited(
      _ call: Call, by limits: RateLimits?, _ handle: (Call) throws -> Response
    ) throws -> Response {
      guard let fields = try limits?.count(call.caller) else { return try handle(call) }
      var response: Response
      do {
        response = try handle(call)
      } catch {
        response = Problem(error, request: call.request).response
      }
      response.headers += fields
      return response
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
