import CCrypto

/// AES-256 in Galois/Counter Mode, NIST SP 800-38D, by libcrypto.
package enum AuthenticatedEncryption {
  /// The bytes of a key.
  package static let keySize = 32
  private static let nonceSize = 12
  private static let tagSize = 16

  /// A fresh nonce, the encrypted message and its tag, one behind the other. It can be opened only with the same data beside it.
  ///
  /// Nonces are random: a key is good for 2^32 messages (section 8.3).
  package static func sealed(_ message: [UInt8], key: [UInt8], boundTo data: [UInt8]) -> [UInt8] {
    precondition(key.count == keySize, "a key of another cipher")
    var random = SystemRandomNumberGenerator()
    let nonce = (0..<nonceSize).map { _ in UInt8.random(in: 0...255, using: &random) }
    var text = [UInt8](repeating: 0, count: message.count)
    var tag = [UInt8](repeating: 0, count: tagSize)
    let isSealed = withContext { context in
      var (length, rest): (CInt, CInt) = (0, 0)
      return EVP_EncryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
        && EVP_EncryptUpdate(context, nil, &length, data, CInt(data.count)) == 1
        && EVP_EncryptUpdate(context, &text, &length, message, CInt(message.count)) == 1
        && EVP_EncryptFinal_ex(context, nil, &rest) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, CInt(tagSize), &tag) == 1
    }
    precondition(isSealed, "libcrypto cannot encrypt with AES-256-GCM")
    return nonce + text + tag
  }

  /// The message in what ``sealed(_:key:boundTo:)`` made; nil if it was made with another key or other data, or was changed.
  package static func opened(_ sealed: [UInt8], key: [UInt8], boundTo data: [UInt8]) -> [UInt8]? {
    guard key.count == keySize, sealed.count >= nonceSize + tagSize else { return nil }
    let nonce = Array(sealed.prefix(nonceSize))
    let text = Array(sealed.dropFirst(nonceSize).dropLast(tagSize))
    var tag = Array(sealed.suffix(tagSize))
    var message = [UInt8](repeating: 0, count: text.count)
    let isAuthentic = withContext { context in
      var (length, rest): (CInt, CInt) = (0, 0)
      return EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), nil, key, nonce) == 1
        && EVP_DecryptUpdate(context, nil, &length, data, CInt(data.count)) == 1
        && EVP_DecryptUpdate(context, &message, &length, text, CInt(text.count)) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, CInt(tagSize), &tag) == 1
        && EVP_DecryptFinal_ex(context, nil, &rest) == 1
    }
    return isAuthentic ? message : nil
  }

  private static func withContext(_ body: (OpaquePointer) -> Bool) -> Bool {
    guard let context = EVP_CIPHER_CTX_new() else { return false }
    defer { EVP_CIPHER_CTX_free(context) }
    return body(context)
  }
}
