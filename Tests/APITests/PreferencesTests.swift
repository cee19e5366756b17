import API
import Testing

@Suite("Preferences of a client") struct PreferencesTests {
  @Test(
    "The seconds to wait are read, and what cannot be understood is passed over",
    arguments: [
      ("wait=10", 10), ("Wait = 0", 0), ("respond-async, wait=7; x=y", 7), ("wait=\"5\"", 5), ("wait=1, wait=2", 1),
      ("foo=\"a\",\twait=99999999", 99_999_999), (nil, nil), ("", nil), ("wait", nil), ("wait=", nil), ("wait=-1", nil),
      ("wait=1.5", nil), ("wait=99999999999999999999", nil), ("waiting=3", nil), (",,=;", nil), ("wait=\"", nil),
    ] as [(String?, Int?)])
  func wait(field: String?, seconds: Int?) {
    #expect(Preferences(field).wait == seconds)
  }
}
