import Postgres
import TestSupport
import Testing

/// A moment, a window, and whether the one is in the other.
struct WindowCase {
  let at: String
  let start: String
  let end: String
  let days: [Int]
  let zone: String
  let isOpen: Bool

  init(
    _ at: String, _ start: String, _ end: String, days: [Int] = Array(0...6), in zone: String = "UTC", _ isOpen: Bool
  ) {
    self.at = at
    self.start = start
    self.end = end
    self.days = days
    self.zone = zone
    self.isOpen = isOpen
  }
}

@Suite("Time windows")
struct WindowTests {
  let connection: Connection
  let database: TestDatabase

  init() throws {
    database = try TestDatabase()
    connection = try database.connect()
  }

  private func expect(_ cases: [WindowCase]) throws {
    for window in cases {
      let days = window.days.map(String.init).joined(separator: ",")
      let row = try connection.run(
        Statement("window", "SELECT window_is_open($1::timestamptz, $2::time, $3::time, $4::smallint[], $5)"),
        .text(window.at), .text(window.start), .text(window.end), .text("{\(days)}"), .text(window.zone))[0]
      #expect(row.bool(0) == window.isOpen, "\(window)")
    }
  }

  @Test("A window is open from its first minute through the whole of its last")
  func minutes() throws {
    try expect([
      WindowCase("2026-05-06T08:59:59.999Z", "09:00", "17:00", false),
      WindowCase("2026-05-06T09:00:00Z", "09:00", "17:00", true),
      WindowCase("2026-05-06T17:00:59.999Z", "09:00", "17:00", true),
      WindowCase("2026-05-06T17:01:00Z", "09:00", "17:00", false),
      WindowCase("2026-05-06T00:00:00Z", "00:00", "23:59", true),
      WindowCase("2026-05-06T23:59:59.999Z", "00:00", "23:59", true),
    ])
  }

  @Test("A window is open on its days; 2026-05-04 is a Monday")
  func days() throws {
    try expect([
      WindowCase("2026-05-04T12:00:00Z", "09:00", "17:00", days: [0], true),
      WindowCase("2026-05-05T12:00:00Z", "09:00", "17:00", days: [0], false),
      WindowCase("2026-05-10T12:00:00Z", "09:00", "17:00", days: [6], true),
      WindowCase("2026-05-09T12:00:00Z", "09:00", "17:00", days: [0, 1, 2, 3, 4], false),
    ])
  }

  @Test("Past midnight the day is the one on which the window opened")
  func overnight() throws {
    try expect([
      WindowCase("2026-05-04T22:00:00Z", "22:00", "06:00", days: [0], true),
      WindowCase("2026-05-05T06:00:59Z", "22:00", "06:00", days: [0], true),
      WindowCase("2026-05-05T06:01:00Z", "22:00", "06:00", days: [0], false),
      WindowCase("2026-05-04T03:00:00Z", "22:00", "06:00", days: [0], false),
      WindowCase("2026-05-05T22:00:00Z", "22:00", "06:00", days: [0], false),
      WindowCase("2026-05-11T05:00:00Z", "22:00", "06:00", days: [6], true),
      WindowCase("2026-05-10T12:00:00Z", "22:00", "06:00", days: [6], false),
    ])
  }

  @Test("Equal ends mean 24 hours from the start")
  func wholeDay() throws {
    try expect([
      WindowCase("2026-05-04T08:00:00Z", "08:00", "08:00", days: [0], true),
      WindowCase("2026-05-05T07:59:59Z", "08:00", "08:00", days: [0], true),
      WindowCase("2026-05-05T08:00:00Z", "08:00", "08:00", days: [0], false),
      WindowCase("2026-05-04T07:59:59Z", "08:00", "08:00", days: [0], false),
      WindowCase("2026-05-04T00:00:00Z", "00:00", "00:00", days: [0], true),
      WindowCase("2026-05-05T00:00:00Z", "00:00", "00:00", days: [0], false),
    ])
  }

  @Test("The wall clock of the zone counts, also at an odd offset and where it is another day")
  func zones() throws {
    try expect([
      WindowCase("2026-05-06T03:14:59Z", "09:00", "17:00", in: "Asia/Kathmandu", false),
      WindowCase("2026-05-06T03:15:00Z", "09:00", "17:00", in: "Asia/Kathmandu", true),
      WindowCase("2026-05-04T20:00:00Z", "01:00", "02:00", days: [1], in: "Asia/Kathmandu", true),
      WindowCase("2026-05-04T20:00:00Z", "01:00", "02:00", days: [0], in: "Asia/Kathmandu", false),
    ])
  }

  @Test("Across the changes to and from summer time the wall clock goes on counting")
  func summerTime() throws {
    try expect([
      // Berlin, 2026-03-29: 02:00 becomes 03:00 at 01:00 UTC.
      WindowCase("2026-03-28T08:00:00Z", "09:00", "17:00", in: "Europe/Berlin", true),
      WindowCase("2026-03-29T06:59:59Z", "09:00", "17:00", in: "Europe/Berlin", false),
      WindowCase("2026-03-29T07:00:00Z", "09:00", "17:00", in: "Europe/Berlin", true),
      WindowCase("2026-03-29T00:59:59Z", "01:30", "02:30", in: "Europe/Berlin", true),
      WindowCase("2026-03-29T01:00:00Z", "01:30", "02:30", in: "Europe/Berlin", false),
      // Berlin, 2026-10-25: 03:00 becomes 02:00 at 01:00 UTC, so 02:30 comes twice.
      WindowCase("2026-10-25T00:30:00Z", "02:15", "02:45", in: "Europe/Berlin", true),
      WindowCase("2026-10-25T01:00:00Z", "02:15", "02:45", in: "Europe/Berlin", false),
      WindowCase("2026-10-25T01:30:00Z", "02:15", "02:45", in: "Europe/Berlin", true),
      WindowCase("2026-10-25T02:30:00Z", "02:15", "02:45", in: "Europe/Berlin", false),
      // New York, 2026-03-08: 02:00 becomes 03:00 at 07:00 UTC. The night that begins on Saturday (5) is an hour shorter.
      WindowCase("2026-03-08T03:00:00Z", "22:00", "06:00", days: [5], in: "America/New_York", true),
      WindowCase("2026-03-08T10:00:59Z", "22:00", "06:00", days: [5], in: "America/New_York", true),
      WindowCase("2026-03-08T10:01:00Z", "22:00", "06:00", days: [5], in: "America/New_York", false),
      // New York, 2026-11-01: 02:00 becomes 01:00 at 06:00 UTC. The night that begins on Saturday is an hour longer.
      WindowCase("2026-11-01T11:00:59Z", "22:00", "06:00", days: [5], in: "America/New_York", true),
      WindowCase("2026-11-01T11:01:00Z", "22:00", "06:00", days: [5], in: "America/New_York", false),
    ])
  }
}
