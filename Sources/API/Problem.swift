import FastCGI
import Host
import JSON
import Matching
import Postgres
import Store
import Tokens

/// What went wrong with a request, as the client is told: RFC 9457.
package struct Problem: Error {
  /// The status that it is answered with.
  let status: Status
  private let detail: String
  private var faults: [JSONFault] = []
  private var headers: [(name: String, value: String)] = []

  private init(_ status: Status, _ detail: String) {
    self.status = status
    self.detail = detail
  }

  /// The one table that turns any error into an answer. What the client cannot help is logged, and told without the words of a
  /// database or a library.
  init(_ error: any Error, request: Request) {
    switch error {
    case let problem as Problem:
      self = problem
    case let error as JSONSyntaxError:
      self.init(.badRequest, "The body is not JSON: \(error.reason), at byte \(error.offset).")
    case let error as JSONFaults:
      self.init(.unprocessableContent, Self.summary(of: error.faults))
      faults = error.faults
    case BodyError.tooLarge(let limit):
      self.init(.contentTooLarge, "The body is larger than the \(limit) bytes that are taken here; send less at once.")
    case BodyError.incomplete:
      self.init(.badRequest, "The body ended before its announced length.")
    case IntakeFault.empty:
      self = .emptyBody
    case let fault as IntakeFault:
      self.init(.contentTooLarge, "\(fault)")
    case PostgresError.unreachable(let reason):
      Log.error("the database is away", ["request": request.id ?? "", "reason": reason])
      self = .unavailable
    default:
      Log.error(
        "a request failed",
        [
          "request": request.id ?? "", "path": "\(request.method) \(KeyForm.masked(in: request.path))",
          "error": "\(error)",
        ])
      self.init(.internalServerError, "The service failed to answer; its operator finds why in the log.")
    }
  }

  /// Whether the caller is not known or may not do it.
  var isRefusal: Bool { status == .unauthorized || status == .forbidden }

  /// The problem with more headers.
  func with(_ fields: [(name: String, value: String)]) -> Problem {
    var problem = self
    problem.headers += fields
    return problem
  }

  private static func summary(of faults: [JSONFault]) -> String {
    guard let first = faults.first else { return "The request says something impossible." }
    let place = first.pointer.isEmpty ? "The document" : first.pointer
    let others = faults.count > 1 ? " (and \(faults.count - 1) more, see errors)" : ""
    return "\(place) \(first.detail)\(others)."
  }

  /// The problem as it goes out.
  var response: Response {
    var writer = JSONWriter()
    writer.object { problem in
      problem.add("type", "about:blank")
      problem.add("title", status.reason)
      problem.add("status", status.rawValue)
      problem.add("detail", detail)
      if !faults.isEmpty { problem.add("errors") { $0.array(faults.prefix(Self.faultLimit), Self.write) } }
    }
    return Response(status, headers: [("Content-Type", "application/problem+json")] + headers, body: writer.bytes)
  }

  /// The most faults that are listed: enough to mend a document by, and no way to have megabytes answered.
  private static let faultLimit = 100

  private static func write(_ fault: JSONFault, to writer: inout JSONWriter) {
    writer.object { members in
      members.add("pointer", fault.pointer)
      members.add("detail", fault.detail)
    }
  }
}

extension Problem {
  /// 404: no endpoint.
  static let noSuchPath = Problem(.notFound, "There is nothing at this path; the README lists all routes.")

  /// 404: no such policy, rule, …
  package static func notFound(_ noun: String, id: String) -> Problem {
    Problem(.notFound, "There is no \(noun) with the id \"\(id.prefix(255))\".")
  }

  /// 405.
  static func methodNotAllowed(allowed: [String]) -> Problem {
    var problem = Problem(.methodNotAllowed, "This path takes \(allowed.joined(separator: ", ")).")
    problem.headers = [("Allow", (allowed.contains("GET") ? allowed + ["HEAD"] : allowed).joined(separator: ", "))]
    return problem
  }

  /// 401: no key, an unknown one or a revoked one; which of them is not told.
  static let unauthorized = unauthorized("Send a valid API key as \"Authorization: Bearer KEY\".")

  /// 401: the key's checksum is not its own.
  static let mistypedKey = unauthorized(
    "The API key is mistyped or damaged, for its checksum is wrong; copy it anew from where you keep it.")

  /// 401: the key worked once.
  static let expiredKey = unauthorized(
    "The API key has expired; use the one that it was replaced by, or have another made.")

  /// 401: the token is not taken.
  static func badToken(_ fault: TokenFault) -> Problem {
    unauthorized("The token \(fault.rawValue).", challenge: "Bearer error=\"invalid_token\"")
  }

  private static func unauthorized(_ detail: String, challenge: String = "Bearer") -> Problem {
    var problem = Problem(.unauthorized, detail)
    problem.headers = [("WWW-Authenticate", challenge)]
    return problem
  }

  /// 429: the key or its tenant has made too many requests of late.
  static func tooManyRequests(
    of holder: String, seconds: Int, fields: [(name: String, value: String)]
  ) -> Problem {
    var problem = Problem(
      .tooManyRequests,
      "This \(holder) makes more requests than it may; send it again after \(seconds) s, and events in batches.")
    problem.headers = [("Retry-After", "\(seconds)")] + fields
    return problem
  }

  /// 403: the key's role does not include this.
  static func forbidden(role: Role) -> Problem {
    Problem(.forbidden, "A key of the role \"\(role.rawValue)\" may not do this; use one whose role may.")
  }

  /// 403: the token's role is none.
  static func unknownRole(_ name: String) -> Problem {
    let roles = Role.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    return Problem(.forbidden, "The token is for the role \"\(name)\"; the roles are \(roles).")
  }

  /// 403: there is no such tenant.
  static func unknownTenant(_ name: String) -> Problem {
    Problem(.forbidden, "The token is for the tenant \"\(name)\", which is not known; a first key makes one.")
  }

  /// 403: the key may be used from other addresses.
  static func foreignAddress(_ address: String?) -> Problem {
    let address = address.map { " \"\($0.prefix(64))\"" } ?? ", which is not known"
    return Problem(
      .forbidden, "The API key may not be used from this address\(address); its allowed_cidrs say from where.")
  }

  /// 400: a key of the platform, and no tenant to act in.
  static let unnamedTenant = Problem(
    .badRequest, "A key of the platform acts in a tenant that the call names; add tenant_id=TENANT to the query.")

  /// 403: a key of the platform is to act in a tenant that is not there.
  static func noSuchTenant(_ name: String) -> Problem {
    Problem(.forbidden, "There is no tenant \"\(name.prefix(255))\"; `tocsin keys create` makes it with its first key.")
  }

  /// 403: `tenant_id` names another tenant.
  static let otherTenant = Problem(.forbidden, "The tenant_id is not the one that the key belongs to; leave it out.")

  /// 409.
  package static func conflict(_ detail: String) -> Problem { Problem(.conflict, detail) }

  /// 409: the tenant has as many as it may.
  package static func tooMany(_ plural: String, limit: Int) -> Problem {
    conflict("A tenant may have \(limit) \(plural), and so many there are; delete what is not needed.")
  }

  /// 415: the type.
  static func unsupportedMediaType(_ type: String, supported: [String]) -> Problem {
    let wanted = supported.map { "\"Content-Type: \($0)\"" }.joined(separator: " or ")
    return Problem(.unsupportedMediaType, "The body is sent as \"\(type.prefix(100))\"; send it as \(wanted).")
  }

  /// 415: the encoding.
  static let unsupportedEncoding = Problem(.unsupportedMediaType, "Send the body without a Content-Encoding.")

  /// 503: a part of the service does not work, which no client can help.
  package static func notWorking(_ detail: String) -> Problem { Problem(.serviceUnavailable, detail) }

  /// 503: nothing was done, or nobody knows.
  package static let unavailable: Problem = {
    var problem = Problem(
      .serviceUnavailable, "The service cannot reach its database; try again in a few seconds.")
    problem.headers = [("Retry-After", "5")]
    return problem
  }()

  /// 507: the database is away and there is no more room to keep events until it is back.
  package static let insufficientStorage: Problem = {
    var problem = Problem(
      .insufficientStorage,
      "The service cannot reach its database and has no more room to keep events until it can; send them again later.")
    problem.headers = [("Retry-After", "60")]
    return problem
  }()

  /// 400.
  static let emptyBody = Problem(.badRequest, "The body is empty; send a JSON document.")
}
