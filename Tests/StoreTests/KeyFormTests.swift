import Store
import Testing

@Suite("The form of keys")
struct KeyFormTests {
  @Test("A text is told without the keys in it, and with all else")
  func masked() {
    let key = KeyForm.make()
    #expect(KeyForm.masked(in: "/\(key)/x/\(key.dropLast(8))") == "/tocsin_********/x/tocsin_********")
    for text in ["", "tocsin_", "/tocsin_policies/0123456789abcdef", "tocsin_tocsin_"] {
      #expect(KeyForm.masked(in: text) == text)
    }
  }

  @Test("Keys are random and of one form")
  func form() {
    let keys = (0..<100).map { _ in KeyForm.make() }
    #expect(Set(keys).count == 100)
    #expect(keys.allSatisfy { $0.wholeMatch(of: #/tocsin_[0-9a-f]{72}/#) != nil })
    #expect(!keys.contains(where: KeyForm.isMistyped))
  }

  @Test("The checksum is the CRC-32 that other programs know")
  func checksum() {
    // zlib.crc32(b"tocsin_" + b"0" * 64) in Python.
    #expect(!KeyForm.isMistyped("tocsin_" + String(repeating: "0", count: 64) + "fd35aff8"))
  }

  @Test("A key in which one character is another, or two have changed places, is mistyped")
  func typos() {
    let key = Array(KeyForm.make())
    for place in key.indices.dropFirst(7) {
      for other in "0123456789abcdefOlA" where other != key[place] {
        var typo = key
        typo[place] = other
        #expect(KeyForm.isMistyped(String(typo)))
      }
      guard place + 1 < key.count, key[place] != key[place + 1] else { continue }
      var typo = key
      typo.swapAt(place, place + 1)
      #expect(KeyForm.isMistyped(String(typo)))
    }
  }

  @Test(
    "A key of another form is none that could be mistyped",
    arguments: [
      "", "tocsin_", "chosen-by-an-operator", "tocsin_" + String(repeating: "a", count: 64),
      "tocsin_" + String(repeating: "a", count: 71), "tocsin_" + String(repeating: "a", count: 73),
      "tocsin-" + String(repeating: "a", count: 72), "tocsin_" + String(repeating: "-", count: 72),
    ])
  func otherForms(key: String) { #expect(!KeyForm.isMistyped(key)) }
}
