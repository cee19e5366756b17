import Testing

@testable import Delivery

@Suite("Encodings") struct EncodingTests {
  /// RFC 4648, section 10.
  @Test(
    "Base64 goes both ways",
    arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")])
  func base64(plain: String, encoded: String) {
    #expect(Base64.encoded(Array(plain.utf8)) == encoded)
    #expect(Base64.decoded(encoded) == Array(plain.utf8))
  }

  @Test("Text that is not base64 is none", arguments: ["Z", "Zg", "Zg=", "Z===", "Zm9v\n", "Zm-_", "=Zg="])
  func notBase64(text: String) {
    #expect(Base64.decoded(text) == nil)
  }

  /// RFC 4231, section 4.3.
  @Test("HMAC-SHA256 is that of RFC 4231")
  func hmac() {
    let digest = Digest.hmacSHA256(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
    #expect(Hexadecimal.encoded(digest) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
  }

  @Test(
    "A text is cut between code points, with room for the dots",
    arguments: [
      ("abcde", 5, "abcde"), ("abcdef", 5, "abcd…"), ("abc😀", 5, "abc😀"), ("abc😀x", 5, "abc…"), ("ab😀x", 4, "ab…"),
      ("", 5, ""),
    ])
  func cut(text: String, limit: Int, expected: String) {
    #expect(text.cut(to: limit) == expected)
  }

  @Test("An escape is never cut in two")
  func cutEscape() {
    #expect("a&b".cut(to: 6) { $0 == "&" ? "&amp;" : nil } == "a…")
    #expect("a&b".cut(to: 7) { $0 == "&" ? "&amp;" : nil } == "a&amp;b")
  }
}
