import JSON

/// Why a key set cannot be used, in a sentence for the operator.
package struct KeySetError: Error, Equatable, CustomStringConvertible {
  /// What is wrong, and where.
  package let description: String
}

/// The public keys of an identity provider: a JWK Set, RFC 7517.
///
/// Keys that are not for signatures, or of a kind that is not taken, are passed over: providers publish such beside the others.
package struct KeySet {
  /// The longest set, in bytes.
  package static let sizeLimit = 1 << 20
  /// The most keys of a set.
  private static let keyLimit = 100

  private var keys: [String: PublicKey] = [:]
  /// A key without an id, which only a set of one key may have.
  private var only: PublicKey?

  /// Reads a set of public keys, at least one of which can be used.
  package init(json bytes: [UInt8]) throws(KeySetError) {
    let list = try Self.list(bytes)
    for (index, value) in list.enumerated() {
      guard let jwk = value.object else { throw KeySetError(description: "/keys/\(index) is no object") }
      guard jwk["d"] == nil, jwk["k"] == nil else {
        throw KeySetError(description: "/keys/\(index) holds a secret: the file takes public keys alone")
      }
      guard let algorithm = Self.algorithm(of: jwk) else { continue }
      guard let key = Self.key(algorithm, jwk) else {
        throw KeySetError(description: "/keys/\(index) is no key that \(algorithm.rawValue) could be checked with")
      }
      if let id = jwk["kid"]?.string {
        guard keys.updateValue(key, forKey: id) == nil else {
          throw KeySetError(description: "/keys/\(index) has the kid of another key")
        }
      } else if list.count == 1 {
        only = key
      } else {
        throw KeySetError(description: "/keys/\(index) has no kid, by which the keys are told apart")
      }
    }
    if keys.isEmpty, only == nil {
      throw KeySetError(description: "there is no key for signatures by RS256, ES256 or EdDSA")
    }
  }

  /// The key that a token names, or the only one where it names none.
  func key(_ id: String?) -> PublicKey? {
    guard let id else { return only ?? (keys.count == 1 ? keys.first?.value : nil) }
    return keys[id]
  }

  private static func list(_ bytes: [UInt8]) throws(KeySetError) -> [JSONValue] {
    guard bytes.count <= sizeLimit else { throw KeySetError(description: "it has more than \(sizeLimit) bytes") }
    do {
      guard case .array(let list)? = try JSONValue(parsing: bytes).object?["keys"], list.count <= keyLimit else {
        throw KeySetError(description: "it is no object with \"keys\", an array of at most \(keyLimit)")
      }
      return list
    } catch let error as KeySetError {
      throw error
    } catch {
      throw KeySetError(description: "it is not JSON: \(error)")
    }
  }

  /// What a key is for; nil for what is not taken here.
  private static func algorithm(of jwk: JSONObject) -> Algorithm? {
    guard jwk["use"] ?? "sig" == "sig" else { return nil }
    if let operations = jwk["key_ops"] {
      guard case .array(let operations) = operations, operations.contains("verify") else { return nil }
    }
    let algorithm: Algorithm? =
      switch (jwk["kty"]?.string, jwk["crv"]?.string) {
      case ("RSA", _): .rs256
      case ("EC", "P-256"): .es256
      case ("OKP", "Ed25519"): .edDSA
      default: nil
      }
    guard let algorithm, jwk["alg"]?.string ?? algorithm.rawValue == algorithm.rawValue else { return nil }
    return algorithm
  }

  private static func key(_ algorithm: Algorithm, _ jwk: JSONObject) -> PublicKey? {
    let bytes = { (name: String) in jwk[name]?.string.flatMap { Base64URL.decoded($0) } }
    switch algorithm {
    case .rs256:
      guard let modulus = bytes("n"), let exponent = bytes("e") else { return nil }
      return PublicKey(modulus: modulus, exponent: exponent)
    case .es256:
      guard let x = bytes("x"), let y = bytes("y") else { return nil }
      return PublicKey(x: x, y: y)
    case .edDSA: return bytes("x").flatMap(PublicKey.init(ed25519:))
    }
  }
}
