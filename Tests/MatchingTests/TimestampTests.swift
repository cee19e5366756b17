import Matching
import Testing

@Suite("Timestamps") struct TimestampTests {
  @Test(
    "A moment of RFC 3339 is read with its offset",
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:59:59.5Z", -500_000),
      ("2000-02-29t12:00:00z", 951_825_600_000_000), ("2026-11-21T04:42:08.1234567-05:30", 1_795_255_928_123_456),
    ])
  func moments(text: String, microseconds: Int) throws {
    #expect(try #require(Timestamp(text)).microseconds == microseconds)
  }

  @Test(
    "What is not a moment of RFC 3339 is refused",
    arguments: [
      "", "now", "tomorrow", "2026-11-21", "2026-11-21T04:42:08", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
      "2026-11-21T24:00:00Z", "2026-11-21T04:42:08.Z", "2026-11-21T04:42:08Z ", "infinity", "0000-01-01T00:00:00Z",
      "9999-12-31T23:59:59-00:01", "0001-01-01T00:00:00+00:01",
    ])
  func notMoments(text: String) {
    #expect(Timestamp(text) == nil)
  }
}
