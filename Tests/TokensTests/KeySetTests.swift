import JSON
import TestSupport
import Testing
import Tokens

@Suite("Key sets")
struct KeySetTests {
  private func refusal(_ json: [UInt8]) -> String? {
    do {
      _ = try KeySet(json: json)
      return nil
    } catch {
      return error.description
    }
  }

  @Test(
    "A set that cannot be used is refused with what is wrong",
    arguments: [
      ("", "not JSON"), ("[]", "keys"), (#"{"keys":{}}"#, "keys"), (#"{"keys":[]}"#, "no key"),
      (#"{"keys":[7]}"#, "/keys/0"),
      (#"{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"a"}]}"#, "secret"),
      (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA","kid":"a"}]}"#, "secret"),
      (#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"a"}]}"#, "/keys/0"),
      (#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA","kid":"a"}]}"#, "/keys/0"),
      (#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","kid":"a"}]}"#, "/keys/0"),
      (#"{"keys":[{"kty":"EC","crv":"P-521","kid":"a"},{"kty":"RSA","use":"enc","kid":"b"}]}"#, "no key"),
    ])
  func refused(json: String, reason: String) {
    #expect(refusal(Array(json.utf8))?.contains(reason) == true)
  }

  @Test("A weak key, a point that is not on the curve, and two keys of one name are refused")
  func weak() {
    #expect(refusal(TokenSigner.keySet(TokenSigner(.weakRSA).jwk))?.contains("/keys/0") == true)
    var moved = TokenSigner(.ec).jwk
    moved["x"] = moved["y"]
    #expect(refusal(TokenSigner.keySet(moved))?.contains("/keys/0") == true)
    for exponent in ["AQ", "Ag", "AQAA", ""] {
      var odd = TokenSigner(.rsa).jwk
      odd["e"] = .string(exponent)
      #expect(refusal(TokenSigner.keySet(odd))?.contains("/keys/0") == true)
    }
    let keys = TokenSigner.keySet(TokenSigner(.ec).jwk, TokenSigner(.ed25519).jwk)
    #expect(refusal(keys)?.contains("/keys/1") == true)
  }

  @Test("A key without a name is taken alone, and keys of other kinds are passed over")
  func others() {
    var nameless = TokenSigner(.ed25519).jwk
    nameless["kid"] = nil
    #expect(refusal(TokenSigner.keySet(nameless)) == nil)
    #expect(refusal(TokenSigner.keySet(nameless, TokenSigner(.ec).jwk))?.contains("kid") == true)
    var encryption = TokenSigner(.rsa, id: "e").jwk
    encryption["use"] = "enc"
    var other = TokenSigner(.rsa, id: "o").jwk
    other["alg"] = "PS256"
    var exchange = TokenSigner(.ec, id: "x").jwk
    exchange["key_ops"] = ["deriveBits"]
    #expect(refusal(TokenSigner.keySet(encryption, other, exchange, TokenSigner(.ec).jwk)) == nil)
    #expect(refusal(TokenSigner.keySet(exchange))?.contains("no key") == true)
    exchange["key_ops"] = ["verify"]
    #expect(refusal(TokenSigner.keySet(exchange)) == nil)
  }
}
