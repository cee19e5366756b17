import API
import JSON
import Testing

@Suite("The parameters of a query") struct QueryTests {
  @Test("Names and values are decoded, + is a space, and of equal names the last counts")
  func decoding() throws {
    let query = try Query("a=1&b+c=%C3%A9%2B+x&&empty=&flag&a=2&e=m=c2")
    #expect(query["a"] == "2")
    #expect(query["b c"] == "é+ x")
    #expect(query["empty"] == "")
    #expect(query["flag"] == "")
    #expect(query["e"] == "m=c2")
    #expect(query["z"] == nil)
  }

  @Test(
    "What is not percent-encoded UTF-8 is refused with the parameter's name",
    arguments: [
      ("a=%", "?a"), ("a=%4", "?a"), ("a=%GG", "?a"), ("a=%C3", "?a"), ("ok=1&a=%00", "?a"), ("%FF=1", "?%FF"),
    ])
  func malformed(text: String, pointer: String) {
    let error = #expect(throws: JSONFaults.self) { try Query(text) }
    #expect(error?.faults.map(\.pointer) == [pointer])
  }

  @Test("A page is the first ten unless the query says otherwise")
  func pages() throws {
    let usual = try Query("").page()
    #expect(usual.number == 1 && usual.size == 10)
    let asked = try Query("per_page=100&page=1000000").page()
    #expect(asked.number == 1_000_000 && asked.size == 100)
    for text in ["page=1000001", "page=+1", "page=1e3", "per_page=-5", "per_page=%D9%A1"] {
      #expect(throws: JSONFaults.self) { try Query(text).page() }
    }
  }

  @Test("True and false have two spellings each")
  func booleans() throws {
    #expect(try Query("a=true").bool("a") == true)
    #expect(try Query("a=1").bool("a") == true)
    #expect(try Query("a=False").bool("a") == false)
    #expect(try Query("a=0").bool("a") == false)
    #expect(try Query("").bool("a") == nil)
    #expect(throws: JSONFaults.self) { try Query("a=").bool("a") }
  }

  @Test("A time keeps its offset though its + was sent as it is")
  func times() throws {
    let encoded = try Query("t=2026-05-07T10:00:00%2B02:00").timestamp("t")
    #expect(try Query("t=2026-05-07T10:00:00+02:00").timestamp("t") == encoded)
    #expect(try Query("t=2026-05-07T08:00:00Z").timestamp("t") == encoded)
    #expect(try Query("").timestamp("t") == nil)
    #expect(throws: JSONFaults.self) { try Query("t=2026-05-07").timestamp("t") }
  }
}
