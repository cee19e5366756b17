import JSON

/// Who a token says that its bearer is.
package struct TokenClaims: Sendable, Equatable {
  /// The bearer, as the identity provider calls it: `sub`.
  package let subject: String
  /// The tenant that the bearer belongs to.
  package let tenant: String
  /// The name of the bearer's role.
  package let role: String
}

/// Why a token is not taken, in a sentence for its bearer.
package enum TokenFault: String, Error, CaseIterable {
  case tooLong = "is longer than 8,192 characters"
  case malformed = "is no JWT in compact form: three parts in base64url, the first two JSON objects"
  case unknownKey = "is signed with a key that is not in the service's key set"
  case wrongAlgorithm = "names another algorithm than its key is for"
  case critical = "asks for an extension that is not known here (crit)"
  case wrongSignature = "has a signature that is not its own"
  case wrongIssuer = "is of another issuer (iss)"
  case wrongAudience = "is for another audience (aud)"
  case expired = "has expired, or does not say when it does (exp)"
  case early = "is not valid yet (nbf)"
  case unnamed = "does not say who bears it (sub)"
  case withoutTenant = "does not say whose tenant it is for, in the claim that the service is set up to read"
  case withoutRole = "does not say which role it is for, in the claim that the service is set up to read"
}

/// What makes a token good: RFC 7519, and the advice of RFC 8725.
package struct TokenRules: Sendable {
  /// Who has to have issued it.
  package let issuer: String
  /// Whom it has to be for.
  package let audience: String
  /// The claim that names the tenant.
  package let tenantClaim: String
  /// The claim that names the role.
  package let roleClaim: String

  /// The most characters of a token.
  private static let lengthLimit = 8192
  /// By how much the clock of the issuer may differ, in seconds.
  private static let leeway = 30

  /// Rules for the tokens of one issuer.
  package init(issuer: String, audience: String, tenantClaim: String, roleClaim: String) {
    self.issuer = issuer
    self.audience = audience
    self.tenantClaim = tenantClaim
    self.roleClaim = roleClaim
  }

  /// Whether a text is a token, good or bad, rather than a key: its header is a JSON object in base64url.
  package static func isToken(_ text: String) -> Bool {
    text.hasPrefix("eyJ") && text.utf8.count { $0 == UInt8(ascii: ".") } == 2
  }

  /// What a token says, if it is signed by a key of the set and good at a moment, in seconds since 1970. Nothing that it says is
  /// believed before its signature has been checked, but which key that is to be by.
  package func claims(of token: String, by keys: KeySet, at now: Int) throws(TokenFault) -> TokenClaims {
    guard token.utf8.count <= Self.lengthLimit else { throw .tooLong }
    let parts = token.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 3, let signature = Base64URL.decoded(parts[2]) else { throw .malformed }
    let key = try Self.key(for: Self.object(parts[0]), in: keys)
    let message = Array(token.utf8.prefix(parts[0].utf8.count + 1 + parts[1].utf8.count))
    guard key.verifies(signature, of: message) else { throw .wrongSignature }
    return try claims(in: Self.object(parts[1]), at: now)
  }

  private static func key(for header: JSONObject, in keys: KeySet) throws(TokenFault) -> PublicKey {
    guard header["crit"] == nil else { throw .critical }
    if let id = header["kid"], id.string == nil { throw .malformed }
    guard let key = keys.key(header["kid"]?.string) else { throw .unknownKey }
    guard header["alg"] == .string(key.algorithm.rawValue) else { throw .wrongAlgorithm }
    return key
  }

  private func claims(in payload: JSONObject, at now: Int) throws(TokenFault) -> TokenClaims {
    guard payload["iss"] == .string(issuer) else { throw .wrongIssuer }
    guard isAudience(payload["aud"]) else { throw .wrongAudience }
    guard case .number(let end)? = payload["exp"], end > JSONNumber(now - Self.leeway) else { throw .expired }
    if let start = payload["nbf"] {
      guard case .number(let start) = start, start <= JSONNumber(now + Self.leeway) else { throw .early }
    }
    guard let subject = Self.name(payload["sub"]) else { throw .unnamed }
    guard let tenant = Self.name(payload[tenantClaim]) else { throw .withoutTenant }
    guard let role = Self.name(payload[roleClaim]) else { throw .withoutRole }
    return TokenClaims(subject: subject, tenant: tenant, role: role)
  }

  private func isAudience(_ value: JSONValue?) -> Bool {
    if case .array(let values)? = value { return values.contains(.string(audience)) }
    return value == .string(audience)
  }

  /// A text of up to 250 characters that can be shown and stored.
  private static func name(_ value: JSONValue?) -> String? {
    guard let text = value?.string, (1...250).contains(text.unicodeScalars.count),
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { return nil }
    return text
  }

  private static func object(_ part: Substring) throws(TokenFault) -> JSONObject {
    guard let bytes = Base64URL.decoded(part) else { throw .malformed }
    do {
      if let object = try JSONValue(parsing: bytes).object { return object }
    } catch {
      throw .malformed
    }
    throw .malformed
  }
}
