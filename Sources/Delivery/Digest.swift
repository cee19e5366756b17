import CCrypto

/// What is asked of libcrypto.
package enum Digest {
  /// The SHA-256 of a message, 32 bytes.
  package static func sha256(_ message: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
      SHA256(message, message.count, digest.baseAddress)
      count = Int(SHA256_DIGEST_LENGTH)
    }
  }

  /// The HMAC with SHA-256 of a message (RFC 2104), 32 bytes.
  static func hmacSHA256(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: Int(SHA256_DIGEST_LENGTH)) { digest, count in
      var length: UInt32 = 0
      let result = HMAC(EVP_sha256(), key, CInt(key.count), message, message.count, digest.baseAddress, &length)
      precondition(result != nil, "libcrypto cannot compute HMAC-SHA256")
      count = Int(length)
    }
  }
}
