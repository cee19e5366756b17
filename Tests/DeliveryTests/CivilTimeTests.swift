import Testing

@testable import Delivery

@Suite("Times in words") struct CivilTimeTests {
  @Test(
    "A moment is written as mail writes it",
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 +0000"), (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"), (951_868_799, "Tue, 29 Feb 2000 23:59:59 +0000"),
      (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 +0000"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 +0000"),
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 +0000"),
    ])
  func mailDate(seconds: Int, text: String) {
    #expect(CivilTime(unixSeconds: seconds).mailDate == text)
  }

  @Test("Every day of eight centuries comes back as it went in")
  func roundTrip() {
    for day in stride(from: -146_097, through: 146_097, by: 1) {
      let seconds = day * 86_400 + 3661
      #expect(CivilTime(unixSeconds: seconds).unixSeconds == seconds)
    }
  }

  @Test(
    "What is no HTTP date is none",
    arguments: [
      "", "06 Nov 1994", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 24:49:37 GMT",
      "Sun, 32 Nov 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT", "Sun, xx Nov 1994 08:49:37 GMT",
    ])
  func noDate(text: String) {
    #expect(CivilTime(httpDate: text) == nil)
  }
}
