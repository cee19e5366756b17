import Foundation
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

  private static let password = "p~s? wörd/\"+%41"

  @Test(
    "A secret is masked in every encoding that somebody may undo",
    arguments: [
      password, password.addingPercentEncoding(withAllowedCharacters: .alphanumerics),
      password.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed)?.replacing("%C3%B6", with: "%c3%b6"),
      password.addingPercentEncoding(withAllowedCharacters: .alphanumerics)?.replacing("%20", with: "+"),
      password.replacing("/", with: "\\/").replacing("\"", with: "\\\""), password.replacing("+", with: #"\u002B"#),
    ])
  func encodings(text: String?) throws {
    #expect(Secrets([Self.password]).masked(in: "no \(try #require(text))!") == "no ********!")
  }

  @Test(
    "Base64 that a secret is in is masked whole, in either alphabet, with padding or without, in lines or percent-encoded",
    arguments: ["", "\0", "\0user\0", "user:", "x", "a b"], ["", "?", "\r\n", " and more"])
  func base64(before: String, behind: String) {
    for secret in [Self.password, "¿¿¿¿¿¿¿¿", ">>>>>>>>>", "hunter", "word"] {
      let encoded = Data("\(before)\(secret)\(behind)".utf8).base64EncodedString()
      let bare = encoded.filter { $0 != "=" }
      let url = encoded.replacing("+", with: "-").replacing("/", with: "_")
      let lines = encoded.replacing(#/.{5}(?!$)/#) { $0.output + "\r\n" }
      let percent = encoded.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      for text in [encoded, bare, url, lines, percent] {
        #expect(Secrets([secret]).masked(in: "no \(text) :") == "no ******** :", "\(text)")
      }
    }
  }

  @Test("A password is masked as it goes to a mail server, which may quote what it was sent: by LOGIN and by PLAIN")
  func mailLogin() throws {
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

  @Test(
    "The parts of a secret are masked by themselves",
    arguments: [
      ("Basic dXNlcjpodW50ZXIy", "hunter2"), ("basic dXNlcjpodW50ZXIy", "user:hunter2"),
      ("sid=0a1b2c3d; Path=/", "0a1b2c3d"),
      ("Token token=\"0a1b2c3d\"", "0a1b2c3d"), ("whsec_MfKQ9r8GKYqrTwjU", "MfKQ9r8GKYqrTwjU"),
      ("https://hooks.example.com/services/T0/B0/abcdefghijklmnopqrstuvwx", "abcdefghijklmnopqrstuvwx"),
    ])
  func parts(secret: String, part: String) { #expect(Secrets([secret]).masked(in: "no \(part)!") == "no ********!") }

  @Test(
    "Words of fewer than six bytes are not masked, and of fewer than eight as words alone; nor is what URLs have in common"
  )
  func short() {
    #expect(secrets.masked(in: "a short story") == "a short story")
    #expect(Secrets(["rabbit"]).masked(in: "rabbits, (rabbit)") == "rabbits, (********)")
    #expect(secrets.masked(in: "no services at hooks.example.com") == "no services at hooks.example.com")
  }

  @Test("Where a text was cut, the beginning of a secret is masked too, however it is encoded")
  func cut() {
    func masked(_ text: String) -> String { secrets.masked(in: Array(text.utf8), isCut: true) }
    #expect(masked("token s3cret-t") == "token ********")
    #expect(masked("token s3cr%65t%2") == "token ********%2")
    #expect(masked("token czNjcmV0LXRva2") == "token ********")
    #expect(secrets.masked(in: "token s3cret-t") == "token s3cret-t")
    #expect(masked("nothing here") == "nothing here")
  }

  @Test("An answer keeps its first 2 KB, without secrets")
  func answers() throws {
    let provider = try Provider(
      .webhook, ["url": "https://example.com/x", "headers": ["Authorization": "Bearer s3cret-token"]])
    let body = Array(String(repeating: "é", count: 1015).utf8) + Array("s3cret-token".utf8)
    let answer = try #require(provider.answer(in: .http(HTTPReply(status: 500, body: Array(body.prefix(2048))))))
    #expect(answer == String(repeating: "é", count: 1015) + "********")
    #expect(provider.answer(in: .mail(MailReply(code: 250, text: "queued s3cret-token"))) == "queued ********")
    let long = String(repeating: "é", count: 1020) + "s3cret-token"
    #expect(provider.answer(in: .mail(MailReply(code: 250, text: long))) == long.dropLast(12) + "********")
    #expect(provider.answer(in: .failure(TransportFailure(.timeout, detail: "d"))) == nil)
  }

  @Test("What is told of an answer that was cut has no beginning of a secret at its end, though masks made it short")
  func reasons() throws {
    let token = String(repeating: "0123456789", count: 100)
    let provider = try Provider(
      .webhook, ["url": "https://example.com/x", "headers": ["Authorization": .string(token)]])
    let body = Array("\(token) \(token) \(token)".utf8.prefix(HTTPReply.bodyLimit))
    let verdict = provider.verdict(on: .http(HTTPReply(status: 400, body: body)), receivedAt: 0)
    #expect(verdict == .rejected(reason: "answered 400: ******** ******** ********"))
  }
}
