import CCrypto
import JSON

/// An identity provider's key pair, and the tokens that it signs.
package final class TokenSigner {
  /// The kinds of keys.
  package enum Kind: String, CaseIterable, Sendable {
    /// RSA of 2048 bits.
    case rsa = "RS256"
    /// A weak key, RSA of 1024 bits.
    case weakRSA = "RS256 by 1024 bits"
    /// A point of P-256.
    case ec = "ES256"
    /// Ed25519.
    case ed25519 = "EdDSA"

    /// The algorithm, as a token names it.
    package var algorithm: String { self == .weakRSA ? "RS256" : rawValue }
  }

  private let kind: Kind
  private let id: String
  private let pair: OpaquePointer

  /// A new key pair with an id.
  package init(_ kind: Kind, id: String = "k1") {
    self.kind = kind
    self.id = id
    let type =
      switch kind {
      case .rsa, .weakRSA: EVP_PKEY_RSA
      case .ec: EVP_PKEY_EC
      case .ed25519: EVP_PKEY_ED25519
      }
    let context = EVP_PKEY_CTX_new_id(type, nil)
    defer { EVP_PKEY_CTX_free(context) }
    var pair: OpaquePointer?
    precondition(EVP_PKEY_keygen_init(context) == 1)
    switch kind {
    case .rsa: precondition(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048) == 1)
    case .weakRSA: precondition(EVP_PKEY_CTX_set_rsa_keygen_bits(context, 1024) == 1)
    case .ec: precondition(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1)
    case .ed25519: break
    }
    guard EVP_PKEY_keygen(context, &pair) == 1, let pair else { preconditionFailure("libcrypto makes no keys") }
    self.pair = pair
  }

  deinit { EVP_PKEY_free(pair) }

  /// The public key as a JWK.
  package var jwk: JSONObject {
    var encoding: UnsafeMutablePointer<UInt8>?
    let count = Int(i2d_PUBKEY(pair, &encoding))
    defer { CRYPTO_free(encoding, nil, 0) }
    let bytes = Array(UnsafeBufferPointer(start: encoding, count: count))
    var jwk: JSONObject = ["kid": .string(id), "use": "sig", "alg": .string(kind.algorithm)]
    switch kind {
    case .rsa, .weakRSA:
      // The exponent 65537 stands at the end, in five bytes with its head, and the modulus before it.
      jwk["kty"] = "RSA"
      jwk["n"] = .string(Self.base64URL(bytes.dropLast(5).suffix(kind == .rsa ? 256 : 128)))
      jwk["e"] = "AQAB"
    case .ec:
      jwk["kty"] = "EC"
      jwk["crv"] = "P-256"
      jwk["x"] = .string(Self.base64URL(bytes.suffix(64).prefix(32)))
      jwk["y"] = .string(Self.base64URL(bytes.suffix(32)))
    case .ed25519:
      jwk["kty"] = "OKP"
      jwk["crv"] = "Ed25519"
      jwk["x"] = .string(Self.base64URL(bytes.suffix(32)))
    }
    return jwk
  }

  /// A set of public keys as a file has it.
  package static func keySet(_ keys: JSONObject...) -> [UInt8] {
    JSONValue.object(["keys": .array(keys.map { .object($0) })]).json
  }

  /// A signed token with claims, and with other members in its header where that is asked for.
  package func token(_ claims: JSONObject, header: JSONObject = JSONObject()) -> String {
    let head: JSONObject = ["alg": .string(kind.algorithm), "kid": .string(id), "typ": "JWT"]
    let message = [JSONValue.object(head.overlaid(with: header)), .object(claims)].map { Self.base64URL($0.json) }
      .joined(separator: ".")
    return message + "." + Self.base64URL(signature(of: Array(message.utf8)))
  }

  private func signature(of message: [UInt8]) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    precondition(EVP_DigestSignInit(context, nil, kind == .ed25519 ? nil : EVP_sha256(), nil, pair) == 1)
    var count = 1024
    var signature = [UInt8](repeating: 0, count: count)
    precondition(EVP_DigestSign(context, &signature, &count, message, message.count) == 1)
    let bytes = Array(signature.prefix(count))
    return kind == .ec ? Self.numbers(in: bytes) : bytes
  }

  /// The two numbers of a DER signature, 32 bytes each.
  private static func numbers(in der: [UInt8]) -> [UInt8] {
    let first = Array(der[4..<4 + Int(der[3])])
    let second = Array(der[(6 + first.count)...])
    return [first, second].flatMap { number in
      let digits = number.drop { $0 == 0 }
      return [UInt8](repeating: 0, count: 32 - digits.count) + digits
    }
  }

  /// Bytes as base64url (RFC 4648, section 5), without padding.
  package static func base64URL(_ bytes: some Collection<UInt8>) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    var text = ""
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(alphabet[Int(bits >> UInt32(count) & 63)])
      }
    }
    if count > 0 { text.append(alphabet[Int(bits << UInt32(6 - count) & 63)]) }
    return text
  }
}
