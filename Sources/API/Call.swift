import FastCGI
import JSON
import Store

/// A request whose sender is known and allowed to make it.
package struct Call {
  /// The request as it came.
  package let request: Request
  /// The values of the path's `{…}`, in order.
  package let parameters: [String]
  /// Who sent it.
  package private(set) var caller: Caller
  /// Where everything is kept.
  package let store: Store
  /// Where the caller is only presumed: no effect and no answer before it is ``confirmed()`` or the like.
  package private(set) var presumption: Presumption?
  /// The parameters of the query.
  package let query: Query
  /// The content type without its parameters, in lower case; nil if there is none.
  package let mediaType: String?
  private let permission: Permission

  /// The tenant that all of the call is about.
  package var tenant: String { caller.tenant }

  /// Lets a request of a caller in: the role has the permission, and a `tenant_id` that the request names is the caller's.
  init(
    _ request: Request, from caller: Caller, parameters: [String], store: Store, permission: Permission,
    presumption: Presumption? = nil
  ) throws {
    query = try Query(request.query)
    mediaType = Self.mediaType(request.contentType)
    self.request = request
    self.parameters = parameters
    self.caller = caller
    self.store = store
    self.presumption = presumption
    self.permission = permission
    try letIn()
  }

  private func letIn() throws(Problem) {
    guard caller.role.allows(permission) else { throw .forbidden(role: caller.role) }
    if let tenant = query["tenant_id"], tenant != caller.tenant { throw .otherTenant }
  }

  /// The same call with the caller that the database knows. Throws the problem of one that is not let in any more.
  package func confirmed() throws -> Call {
    guard let presumption else { return self }
    var call = self
    call.caller = try presumption.confirmedCaller()
    call.presumption = nil
    try call.letIn()
    return call
  }

  /// The SHA-256 of the key in hexadecimal digits, by which it is known later.
  package func keyDigest() throws(Problem) -> String {
    KeyDigest(of: try Authenticator.credential(of: request)).text
  }

  private static func mediaType(_ contentType: String?) -> String? {
    guard let type = contentType?.utf8.prefix(while: { $0 != UInt8(ascii: ";") }).filter({ $0 > 0x20 }), !type.isEmpty
    else { return nil }
    return String(decoding: type, as: UTF8.self).lowercased()
  }

  /// The body, of a content type that one of the media types names. A request that names none is taken at its word.
  package func body(of mediaTypes: [String]) throws -> Body {
    if let encoding = request.contentEncoding, !["", "identity"].contains(encoding.lowercased()) {
      throw Problem.unsupportedEncoding
    }
    if let type = mediaType, !mediaTypes.contains(type), !(type.hasSuffix("+json") && mediaTypes.contains(Self.json)) {
      throw Problem.unsupportedMediaType(type, supported: mediaTypes)
    }
    return request.body
  }

  /// The media type of `application/json`.
  package static let json = "application/json"

  /// The body as one JSON value.
  package func document() throws -> JSONValue {
    let bytes = try body(of: [Self.json]).rest()
    if bytes.isEmpty { throw Problem.emptyBody }
    return try JSONValue(parsing: bytes)
  }

  /// The body as a JSON object: a PUT's members.
  package func members() throws -> JSONObject {
    let document = try document()
    guard let object = document.object else { throw JSONFaults(pointer: "", "must be an object, not \(document.kind)") }
    return object
  }
}
