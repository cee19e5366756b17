import Host
import Tokens

/// Takes the tokens of an identity provider, by the settings `ALERTING_JWKS_FILE` and `ALERTING_JWT_…`.
final class TokenReader {
  /// How long a key set is taken to be what is in the file, in seconds.
  private static let lifetime = 5.0

  private let path: String
  private let rules: TokenRules
  private var text: [UInt8]
  private var keys: KeySet
  private var readAt = Clock.monotonic

  private init(path: String, rules: TokenRules) throws {
    self.path = path
    self.rules = rules
    text = try Self.read(path)
    keys = try KeySet(json: text)
  }

  /// By the environment; nil where no tokens are taken. What cannot be used is an error.
  static func configured() throws -> TokenReader? {
    guard let path = setting("ALERTING_JWKS_FILE") else { return nil }
    guard let issuer = setting("ALERTING_JWT_ISSUER"), let audience = setting("ALERTING_JWT_AUDIENCE") else {
      throw InvalidSetting(
        "ALERTING_JWKS_FILE", "ALERTING_JWT_ISSUER and ALERTING_JWT_AUDIENCE have to say whose tokens are taken")
    }
    let rules = TokenRules(
      issuer: issuer, audience: audience, tenantClaim: setting("ALERTING_JWT_TENANT_CLAIM") ?? "tenant",
      roleClaim: setting("ALERTING_JWT_ROLE_CLAIM") ?? "role")
    do {
      return try TokenReader(path: path, rules: rules)
    } catch {
      throw InvalidSetting("ALERTING_JWKS_FILE", "\(path) cannot be used: \(error)")
    }
  }

  private static func setting(_ name: String) -> String? { Environment[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// What a good token says.
  func claims(of token: String) throws(TokenFault) -> TokenClaims {
    refresh()
    return try rules.claims(of: token, by: keys, at: Clock.now)
  }

  /// Reads the file again if some seconds have passed. While it cannot be used, the keys of before hold, and the log says so.
  private func refresh() {
    guard Clock.monotonic - readAt >= Self.lifetime else { return }
    readAt = Clock.monotonic
    do {
      let fresh = try Self.read(path)
      guard fresh != text else { return }
      keys = try KeySet(json: fresh)
      text = fresh
    } catch {
      Log.error("the key set cannot be used, the one of before holds", ["file": path, "reason": "\(error)"])
    }
  }

  private static func read(_ path: String) throws -> [UInt8] { try File.read(path, limit: KeySet.sizeLimit) }
}
