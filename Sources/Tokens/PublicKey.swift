import CCrypto

/// The ways of signing that are taken (RFC 7518, section 3.1, and RFC 8037). A key is good for one of them alone, so no token chooses
/// how it is checked.
enum Algorithm: String, CaseIterable {
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  case rs256 = "RS256"
  /// ECDSA on P-256 with SHA-256.
  case es256 = "ES256"
  /// Ed25519.
  case edDSA = "EdDSA"
}

/// A public key of libcrypto, and the one algorithm that it is for.
final class PublicKey {
  let algorithm: Algorithm
  private let handle: OpaquePointer

  /// The bits of an RSA key: fewer can be broken, more take too long.
  private static let rsaBits = 2048...8192

  /// An RSA key of its modulus and exponent, most significant byte first; nil if it is too weak or too large.
  convenience init?(modulus: [UInt8], exponent: [UInt8]) {
    guard modulus.count <= 1024, (1...8).contains(exponent.count) else { return nil }
    let rsaEncryption: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]
    let key = DER.sequence(DER.integer(modulus), DER.integer(exponent))
    self.init(
      .rs256,
      DER.sequence(DER.sequence(DER.objectIdentifier(rsaEncryption), DER.null), DER.bitString(key)))
    guard Self.rsaBits.contains(Int(EVP_PKEY_get_bits(handle))), let last = exponent.last, last & 1 == 1,
      exponent.drop(while: { $0 == 0 }) != [1]
    else { return nil }
  }

  /// A point of P-256 by its coordinates, 32 bytes each; nil if it is none.
  convenience init?(x: [UInt8], y: [UInt8]) {
    guard x.count == 32, y.count == 32 else { return nil }
    let ecPublicKey: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01]
    let prime256v1: [UInt8] = [0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
    let curve = DER.sequence(DER.objectIdentifier(ecPublicKey), DER.objectIdentifier(prime256v1))
    self.init(.es256, DER.sequence(curve, DER.bitString([0x04] + x + y)))
  }

  /// A key of Ed25519, 32 bytes; nil for another number.
  convenience init?(ed25519 bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.init(.edDSA, DER.sequence(DER.sequence(DER.objectIdentifier([0x2B, 0x65, 0x70])), DER.bitString(bytes)))
  }

  /// A key in the form of X.509, a SubjectPublicKeyInfo.
  private init?(_ algorithm: Algorithm, _ encoding: [UInt8]) {
    let key = encoding.withUnsafeBufferPointer { bytes in
      var position = bytes.baseAddress
      return d2i_PUBKEY(nil, &position, bytes.count)
    }
    // What libcrypto has against it stays in a queue otherwise.
    ERR_clear_error()
    guard let key else { return nil }
    self.algorithm = algorithm
    handle = key
  }

  deinit { EVP_PKEY_free(handle) }

  /// Whether the signature, in the form of RFC 7518, is that of the message.
  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    switch algorithm {
    case .rs256: return check(signature, of: message, EVP_sha256())
    case .edDSA: return check(signature, of: message, nil)
    case .es256:
      guard signature.count == 64 else { return false }
      let numbers = DER.sequence(DER.integer(signature.prefix(32)), DER.integer(signature.suffix(32)))
      return check(numbers, of: message, EVP_sha256())
    }
  }

  private func check(_ signature: [UInt8], of message: [UInt8], _ digest: OpaquePointer?) -> Bool {
    guard let context = EVP_MD_CTX_new() else { preconditionFailure("there is no memory to check a signature in") }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    guard EVP_DigestVerifyInit(context, nil, digest, nil, handle) == 1 else {
      preconditionFailure("libcrypto cannot check signatures of \(algorithm.rawValue)")
    }
    return EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
  }
}
