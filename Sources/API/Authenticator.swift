import FastCGI
import Store
import Tokens

/// Finds out who sends a request: by its key or, where they are taken, by the token of an identity provider.
struct Authenticator {
  let store: Store
  /// Nil where no tokens are taken.
  let tokens: TokenReader?

  /// Who sends the request, or why nobody is let in by it. One round trip to the database.
  func authentication(of request: Request) throws -> Authentication {
    let credential = try Self.credential(of: request)
    if KeyForm.isMistyped(credential) { throw Problem.mistypedKey }
    guard let tokens, TokenRules.isToken(credential) else {
      return try store.authenticate(KeyDigest(of: credential), from: request.remoteAddress)
    }
    return .granted(try caller(tokens, credential) { try store.policyEpoch(tenant: $0) })
  }

  /// The same while the database is away, by what is remembered of keys, and by tokens, which are good or not by themselves; nil where
  /// nobody can tell. Whether there is the tenant that a token names is for later to find out.
  func recentAuthentication(of request: Request) throws -> Authentication? {
    let credential = try Self.credential(of: request)
    guard let tokens, TokenRules.isToken(credential) else {
      return store.recentAuthentication(KeyDigest(of: credential), from: request.remoteAddress)
    }
    return .granted(try caller(tokens, credential) { _ in 0 })
  }

  /// Who sends the request in all likelihood; nil where that is not known.
  func presumption(of request: Request) throws -> Presumption? {
    let key = KeyDigest(of: try Self.credential(of: request))
    // The tenant that a key of the platform acts in has to be looked up in any case.
    guard let caller = store.presumedCaller(key, from: request.remoteAddress), !caller.isOfPlatform else { return nil }
    return Presumption(caller, key: key) {
      if let confirmed = try store.confirm(caller, by: key) { return confirmed }
      return try Self.caller(store.authenticate(key, from: request.remoteAddress), of: request)
    }
  }

  /// The caller that was found; throws the problem of one that is not let in.
  static func caller(_ authentication: Authentication, of request: Request) throws(Problem) -> Caller {
    switch authentication {
    case .granted(let caller): return caller
    case .unknown: throw .unauthorized
    case .expired: throw .expiredKey
    case .elsewhere: throw .foreignAddress(request.remoteAddress)
    }
  }

  /// The caller in the tenant that it acts in: with a key of the platform, the one that the request names. That is a round trip more.
  func placed(_ caller: Caller, by request: Request) throws -> Caller {
    guard caller.isOfPlatform else { return caller }
    guard let tenant = try Query(request.query)["tenant_id"], tenant != Caller.platform else {
      throw Problem.unnamedTenant
    }
    guard let epoch = try store.policyEpoch(tenant: tenant) else { throw Problem.noSuchTenant(tenant) }
    return Caller(caller, in: tenant, policyEpoch: epoch)
  }

  private func caller(
    _ tokens: TokenReader, _ token: String, policyEpoch: (_ tenant: String) throws -> Int?
  ) throws -> Caller {
    let claims: TokenClaims
    do {
      claims = try tokens.claims(of: token)
    } catch {
      throw Problem.badToken(error)
    }
    guard let role = Role(rawValue: claims.role) else { throw Problem.unknownRole(claims.role) }
    guard claims.tenant != Caller.platform, let epoch = try policyEpoch(claims.tenant) else {
      throw Problem.unknownTenant(claims.tenant)
    }
    return Caller(
      tenant: claims.tenant, keyID: "user:\(claims.subject)", role: role, policyEpoch: epoch, hasToken: true)
  }

  /// What stands behind `Authorization: Bearer`, RFC 6750 section 2.1; the scheme's case does not matter.
  static func credential(of request: Request) throws(Problem) -> String {
    let parts = (request.authorization ?? "").utf8.split(separator: UInt8(ascii: " "))
    guard parts.count == 2, parts[0].elementsEqual("bearer".utf8, by: { $0 | 0x20 == $1 }) else { throw .unauthorized }
    return String(decoding: parts[1], as: UTF8.self)
  }
}
