import Delivery
import JSON
import Testing

/// The sealing of providers' secrets.
@Suite("Master keys and what they seal") struct KeyringTests {
  private let provider = ProviderKey(tenant: "acme", providerID: "hook")
  private let document: JSONObject = [
    "provider_type": "webhook",
    "config": [
      "url": "https://example.com/", "headers": ["X-Token": "t0ken", "X-Team": "audit"], "signing_secret": "whsec_AAAA",
    ],
  ]

  @Test("A sealed document shows none of its secrets, is another each time, and is opened to the letter")
  func roundTrip() throws {
    let keyring = Keyring()
    let sealed = Provider.sealed(document, of: provider, by: keyring)
    let text = String(decoding: JSONValue.object(sealed).json, as: UTF8.self)
    for secret in ["t0ken", "audit", "whsec_AAAA"] { #expect(!text.contains(secret)) }
    #expect(text.contains("https://example.com/"))
    #expect(Provider.sealed(document, of: provider, by: keyring) != sealed)
    #expect(try Provider.opened(sealed, of: provider, by: keyring) == document)
    #expect(Provider.sealingKeys(of: sealed) == Set(keyring.ids))
  }

  @Test("The cipher is AES-256-GCM: a zero block under a zero key and nonce, as its designers give it")
  func knownAnswer() throws {
    let nonce = [UInt8](repeating: 0, count: 12)
    let text = try #require(Hexadecimal.decoded("cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"))
    let key = [UInt8](repeating: 0, count: 32)
    let opened = AuthenticatedEncryption.opened(nonce + text, key: key, boundTo: [])
    #expect(opened == [UInt8](repeating: 0, count: 16))
    #expect(AuthenticatedEncryption.opened(nonce + text, key: key, boundTo: [0]) == nil)
    #expect(AuthenticatedEncryption.opened([], key: key, boundTo: []) == nil)
  }

  @Test(
    "Secrets of another tenant, provider or member, and changed ones, are not opened",
    arguments: [
      ProviderKey(tenant: "other", providerID: "hook"), ProviderKey(tenant: "acme", providerID: "other"),
      ProviderKey(tenant: "acm", providerID: "ehook"),
    ])
  func bound(other: ProviderKey) throws {
    let keyring = Keyring()
    let sealed = Provider.sealed(document, of: provider, by: keyring)
    #expect(throws: SealFault.damaged) { try Provider.opened(sealed, of: other, by: keyring) }
    var config = try #require(sealed["config"]?.object)
    let headers = try #require(config["headers"]?.object)
    config["headers"] = ["X-Token": headers["X-Team"] ?? .null]
    var moved = sealed
    moved["config"] = .object(config)
    #expect(throws: SealFault.damaged) { try Provider.opened(moved, of: provider, by: keyring) }
  }

  @Test("A sealed secret in which one character is another is not opened")
  func changed() throws {
    let keyring = Keyring()
    let sealed = Provider.sealed(document, of: provider, by: keyring)
    let text = try #require(sealed["config"]?.object?["signing_secret"]?.object?["sealed"]?.string)
    let start = try #require(text.firstIndex(of: ":"))
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    for place in text.indices[text.index(after: start)...] where text[place] != "=" {
      var changed = text
      // Another in the lowest bit, which at the end stands for none of the bytes.
      let number = try #require(alphabet.firstIndex(of: text[place]))
      changed.replaceSubrange(place...place, with: [alphabet[number ^ 1]])
      var config = try #require(sealed["config"]?.object)
      config["signing_secret"] = ["sealed": .string(changed)]
      var document = sealed
      document["config"] = .object(config)
      #expect(throws: SealFault.damaged) { try Provider.opened(document, of: provider, by: keyring) }
    }
  }

  @Test("After a rotation the new key seals, and both open")
  func rotation() throws {
    var keyring = Keyring()
    let sealed = Provider.sealed(document, of: provider, by: keyring)
    let old = keyring
    keyring.rotate()
    #expect(keyring.ids.dropFirst() == old.ids[...])
    #expect(try Provider.opened(sealed, of: provider, by: keyring) == document)
    let anew = Provider.sealed(document, of: provider, by: keyring)
    #expect(throws: SealFault.unknownKey(id: keyring.ids[0])) { try Provider.opened(anew, of: provider, by: old) }
    #expect(throws: SealFault.noKeys) { try Provider.opened(anew, of: provider, by: nil) }
    keyring.forgetOthers()
    #expect(try Provider.opened(anew, of: provider, by: keyring) == document)
    #expect(throws: SealFault.unknownKey(id: old.ids[0])) { try Provider.opened(sealed, of: provider, by: keyring) }
  }

  @Test("What was stored before there were keys is read as it is")
  func unsealed() throws {
    #expect(try Provider.opened(document, of: provider, by: Keyring()) == document)
    #expect(try Provider.opened(document, of: provider, by: nil) == document)
    #expect(Provider.sealingKeys(of: document) == [nil])
  }

  @Test("A ring is read back from its text, with comments between the keys")
  func text() throws {
    var keyring = Keyring()
    keyring.rotate()
    #expect(try Keyring(text: "# the master keys\n\n" + keyring.text) == keyring)
  }

  @Test(
    "A text that is no ring is refused with its line and without its content",
    arguments: [
      ("", "there is no key in it"), ("# nothing\n", "there is no key in it"),
      ("key-1 00ff", "line 1 must be an id, a space and 64 hexadecimal digits"),
      ("\nkey-1\n", "line 2 must be an id, a space and 64 hexadecimal digits"),
      ("a:b \(String(repeating: "0", count: 64))", "line 1 must be an id, a space and 64 hexadecimal digits"),
      (
        "a \(String(repeating: "0", count: 64))\na \(String(repeating: "1", count: 64))",
        "line 2 has the id of another key"
      ),
    ])
  func faults(text: String, fault: String) {
    #expect { try Keyring(text: text) } throws: { "\($0)" == fault }
  }
}
