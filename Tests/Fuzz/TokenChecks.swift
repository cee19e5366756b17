import Tokens

/// The tokens of identity providers, and the sets of keys that they are checked by.
extension Fuzz {
  /// The public key of RFC 8037, appendix A.
  nonisolated(unsafe) private static let keys: KeySet = {
    let key = #"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#
    do {
      return try KeySet(json: Array(key.utf8))
    } catch {
      fatalError("the key of the RFC is refused: \(error)")
    }
  }()

  private static let rules = TokenRules(issuer: "i", audience: "a", tenantClaim: "tenant", roleClaim: "role")

  /// Nothing that is made up is a token, and no set of keys is too odd to be refused.
  static func checkTokens(_ input: UnsafeBufferPointer<UInt8>) {
    if let claims = try? rules.claims(of: String(decoding: input, as: UTF8.self), by: keys, at: 1_800_000_000) {
      preconditionFailure("a token that nobody has signed is taken: \(claims)")
    }
    _ = try? KeySet(json: Array(input))
  }
}
