import Testing

@testable import Delivery

@Suite("Secrets in what is told") struct SecretsTests {
  private let secrets = Secrets(["https://hooks.example.com/services/T0/B0/abcdefgh", "Bearer s3cret-token", "short"])

  @Test(
    "A secret is masked in every spelling that receivers use",
    arguments: [
      "https://hooks.example.com/services/T0/B0/abcdefgh", "Bearer s3cret-token", "s3cret-token",
      "/services/T0/B0/abcdefgh", #"https:\/\/hooks.example.com\/services\/T0\/B0\/abcdefgh"#,
      #"\/services\/T0\/B0\/abcdefgh"#,
    ])
  func spellings(text: String) { #expect(secrets.masked(in: "no \(text)!") == "no ********!") }

  @Test("A password is masked as it goes to a mail server, which may quote what it was sent: by LOGIN and by PLAIN")
  func base64() throws {
    let provider = try Provider(
      .email,
      [
        "smtp_host": "mail.example.com", "smtp_port": 587, "smtp_username": "tocsin", "smtp_password": "pass word",
        "from_email": "tocsin@example.com", "to_emails": ["on-call@example.com"],
      ])
    for sent in ["pass word", "\0tocsin\0pass word"] {
      let quoted = "unrecognized command: \(Base64.encoded(Array(sent.utf8)))"
      #expect(provider.answer(in: .mail(MailReply(code: 500, text: quoted))) == "unrecognized command: ********")
    }
  }

  @Test("An answer by mail that is cut keeps no beginning of a secret")
  func cutMail() throws {
    let provider = try Provider(.pagerDuty, ["api_key": "0123456789abcdef0123456789abcdef"])
    let text = String(repeating: "x", count: 2040) + "0123456789abcdef0123456789abcdef"
    let answer = provider.answer(in: .mail(MailReply(code: 500, text: text)))
    #expect(answer == String(repeating: "x", count: 2040) + "********")
  }

  @Test("Words of fewer than eight bytes are not masked")
  func short() { #expect(secrets.masked(in: "a short story") == "a short story") }

  @Test("Where a text was cut, the beginning of a secret is masked too")
  func cut() {
    #expect(secrets.masked(in: "token s3cret-t", isCut: true) == "token ********")
    #expect(secrets.masked(in: "token s3cret-t") == "token s3cret-t")
    #expect(secrets.masked(in: "nothing here", isCut: true) == "nothing here")
  }

  @Test("An answer keeps its first 2 KB, without secrets")
  func answers() throws {
    let provider = try Provider(
      .webhook, ["url": "https://example.com/x", "headers": ["Authorization": "Bearer s3cret-token"]])
    let body = Array(String(repeating: "é", count: 1015).utf8) + Array("s3cret-token".utf8)
    let answer = try #require(provider.answer(in: .http(HTTPReply(status: 500, body: Array(body.prefix(2048))))))
    #expect(answer == String(repeating: "é", count: 1015) + "********")
    #expect(provider.answer(in: .mail(MailReply(code: 250, text: "queued s3cret-token"))) == "queued ********")
    #expect(provider.answer(in: .failure(TransportFailure(.timeout, detail: "d"))) == nil)
  }
}
