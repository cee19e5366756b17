import JSON
import TestSupport
import Testing
import Tokens

@Suite("Tokens")
struct TokenTests {
  static let now = 1_800_000_000
  static let rules = TokenRules(
    issuer: "https://id.example.com", audience: "tocsin", tenantClaim: "tenant", roleClaim: "https://example.com/role")
  static let claims: JSONObject = [
    "iss": "https://id.example.com", "aud": "tocsin", "sub": "alice", "exp": .number(JSONNumber(now + 300)),
    "tenant": "acme", "https://example.com/role": "viewer",
  ]
  private static let signer = Shared(TokenSigner(.ec))

  /// A signer that all tests share, for they only sign.
  private struct Shared: @unchecked Sendable {
    let signer: TokenSigner
    init(_ signer: TokenSigner) { self.signer = signer }
  }

  private func fault(_ token: String, by keys: [UInt8]? = nil, at now: Int = now) throws -> TokenFault? {
    let keys = try KeySet(json: keys ?? TokenSigner.keySet(Self.signer.signer.jwk))
    do {
      _ = try Self.rules.claims(of: token, by: keys, at: now)
      return nil
    } catch {
      return error
    }
  }

  private func fault(with changes: JSONObject) throws -> TokenFault? {
    try fault(Self.signer.signer.token(Self.claims.overlaid(with: changes)))
  }

  @Test("A token says who bears it, by each algorithm", arguments: [TokenSigner.Kind.rsa, .ec, .ed25519])
  func good(kind: TokenSigner.Kind) throws {
    let signer = TokenSigner(kind)
    let keys = try KeySet(json: TokenSigner.keySet(TokenSigner(.ec, id: "other").jwk, signer.jwk))
    for _ in 0..<20 {
      let claims = try Self.rules.claims(of: signer.token(Self.claims), by: keys, at: Self.now)
      #expect(claims.subject == "alice")
      #expect((claims.tenant, claims.role) == ("acme", "viewer"))
    }
  }

  @Test("The examples of the standards are verified: RFC 7515, A.2 and A.3, and RFC 8037, A.4")
  func standards() throws {
    for (jwk, token) in StandardTokens.all {
      // What they say is no claim of ours, which is found out only once the signature is right.
      let expected: TokenFault = token.contains("RXhhbXBsZSBvZiBFZDI1NTE5") ? .malformed : .wrongIssuer
      #expect(try fault(token, by: Array(#"{"keys":[\#(jwk)]}"#.utf8)) == expected)
      var changed = Array(token)
      let place = changed.lastIndex(of: ".")! + 5
      changed[place] = changed[place] == "A" ? "B" : "A"
      #expect(try fault(String(changed), by: Array(#"{"keys":[\#(jwk)]}"#.utf8)) == .wrongSignature)
    }
  }

  @Test(
    "No token chooses how it is checked",
    arguments: ["none", "None", "", "HS256", "RS256", "PS256", "ES384", "EdDSA", "es256"])
  func algorithms(name: String) throws {
    let token = Self.signer.signer.token(Self.claims, header: ["alg": .string(name)])
    #expect(try fault(token) == .wrongAlgorithm)
    let unsigned = token.split(separator: ".")[0...1].joined(separator: ".") + "."
    #expect(try fault(unsigned) == .wrongAlgorithm)
  }

  @Test("A signature is that of one key over one text")
  func signatures() throws {
    let signer = Self.signer.signer
    let parts = signer.token(Self.claims).split(separator: ".")
    let admin = signer.token(Self.claims.overlaid(with: ["https://example.com/role": "admin"])).split(separator: ".")
    #expect(try fault("\(parts[0]).\(admin[1]).\(parts[2])") == .wrongSignature)
    #expect(try fault("\(parts[0]).\(parts[1]).") == .wrongSignature)
    #expect(try fault("\(parts[0]).\(parts[1]).\(parts[2].dropLast(3))") != nil)
    let zeros = TokenSigner.base64URL([UInt8](repeating: 0, count: 64))
    #expect(try fault("\(parts[0]).\(parts[1]).\(zeros)") == .wrongSignature)
    #expect(try fault(TokenSigner(.ec).token(Self.claims)) == .wrongSignature)
    #expect(try fault(TokenSigner(.ec, id: "stranger").token(Self.claims)) == .unknownKey)
  }

  @Test("A token of one key needs no kid, one of several does")
  func withoutKeyID() throws {
    let signer = Self.signer.signer
    let claims = TokenSigner.base64URL(JSONValue.object(Self.claims).json)
    // It has no kid, and no signature either: that is what is looked at next.
    let token = TokenSigner.base64URL(Array(#"{"alg":"ES256"}"#.utf8)) + ".\(claims)."
    #expect(try fault(token) == .wrongSignature)
    #expect(try fault(token, by: TokenSigner.keySet(signer.jwk, TokenSigner(.ec, id: "k2").jwk)) == .unknownKey)
    var nameless = signer.jwk
    nameless["kid"] = nil
    #expect(try fault(token, by: TokenSigner.keySet(nameless)) == .wrongSignature)
    #expect(try fault(signer.token(Self.claims, header: ["kid": 7])) == .malformed)
  }

  @Test("A token is good from nbf to exp, give or take half a minute")
  func times() throws {
    let number = { (seconds: Int) in JSONValue.number(JSONNumber(Self.now + seconds)) }
    let fraction = JSONValue.number(JSONNumber("\(Self.now).5")!)
    for exp in [number(-29), number(1), fraction] { #expect(try fault(with: ["exp": exp]) == nil) }
    for exp in [number(-30), number(-3600), .string("\(Self.now + 300)"), .null, true] as [JSONValue] {
      #expect(try fault(with: ["exp": exp]) == .expired)
    }
    var endless = Self.claims
    endless["exp"] = nil
    #expect(try fault(Self.signer.signer.token(endless)) == .expired)
    for nbf in [number(30), number(-300)] { #expect(try fault(with: ["nbf": nbf]) == nil) }
    for nbf in [number(31), .string("now"), .null] { #expect(try fault(with: ["nbf": nbf]) == .early) }
  }

  @Test(
    "A token is of the issuer, for the audience, and says who, whose and as what",
    arguments: [
      (["iss": "https://id.example.com/"], .wrongIssuer), (["iss": ["https://id.example.com"]], .wrongIssuer),
      (["aud": "other"], .wrongAudience), (["aud": ["other"]], .wrongAudience), (["aud": .null], .wrongAudience),
      (["aud": ["other", "tocsin"]], nil), (["sub": ""], .unnamed), (["sub": "a\nb"], .unnamed), (["sub": 7], .unnamed),
      (["tenant": .null], .withoutTenant), (["tenant": ["acme"]], .withoutTenant),
      (["https://example.com/role": ["admin"]], .withoutRole), (["role": "admin"], nil),
    ] as [(JSONObject, TokenFault?)])
  func claims(changes: JSONObject, expected: TokenFault?) throws {
    #expect(try fault(with: changes) == expected)
  }

  @Test("What is no token in compact form is refused")
  func malformed() throws {
    let parts = Self.signer.signer.token(Self.claims).split(separator: ".")
    let list = TokenSigner.base64URL(Array("[]".utf8))
    for token in [
      "", ".", "..", "...", "a.b.c", "\(parts[0]).\(parts[1])", "\(parts[0]).\(parts[1]).\(parts[2]).x",
      "\(parts[0])=.\(parts[1]).\(parts[2])", "\(parts[0]).\(parts[1]).\(parts[2])=",
      "\(parts[0]).\(parts[1]).\(parts[2])+/", "\(list).\(parts[1]).\(parts[2])", "é.\(parts[1]).\(parts[2])",
    ] {
      #expect(try fault(token) == .malformed, "\(token)")
    }
    #expect(try fault(String(repeating: "a", count: 8193)) == .tooLong)
    let critical = Self.signer.signer.token(Self.claims, header: ["crit": ["b64"], "b64": false])
    #expect(try fault(critical) == .critical)
  }

  @Test("No byte of a token can be another")
  func damage() throws {
    let token = Array(Self.signer.signer.token(Self.claims).utf8)
    for place in token.indices {
      var changed = token
      changed[place] = changed[place] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      #expect(try fault(String(decoding: changed, as: UTF8.self)) != nil)
    }
  }
}
