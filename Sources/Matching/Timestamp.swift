/// A moment written by RFC 3339, such as `2026-05-07T10:00:00.25+02:00`.
///
/// PostgreSQL computes with times; this type only makes sure that what reaches it is a real date and time with an offset, where
/// PostgreSQL alone would also take `tomorrow` or a time without a zone.
package struct Timestamp: Sendable, Comparable {
  /// The text as it was sent.
  package let text: String
  /// Microseconds since 1970-01-01T00:00:00Z; finer digits are cut.
  package let microseconds: Int

  /// Reads RFC 3339 `date-time`; nil for anything else, days that do not exist included. A second of 60 is read as 59. What is in
  /// the years 1 to 9999 only by its offset is refused too: in UTC it could not be written by RFC 3339.
  package init?(_ text: String) {
    var reader = DigitReader(text)
    guard let year = reader.number(digits: 4), reader.take("-"),
      let month = reader.number(digits: 2), reader.take("-"),
      let day = reader.number(digits: 2), reader.take("T") || reader.take("t") || reader.take(" "),
      let hour = reader.number(digits: 2), reader.take(":"),
      let minute = reader.number(digits: 2), reader.take(":"),
      let second = reader.number(digits: 2),
      let fraction = reader.fraction(),
      let offset = reader.offset(), reader.isAtEnd,
      year >= 1, (1...12).contains(month), (1...Self.days(in: month, of: year)).contains(day),
      hour < 24, minute < 60, second <= 60
    else { return nil }
    self.text = text
    let clock = hour * 3600 + minute * 60 + min(second, 59) - offset
    microseconds = (Self.daysSinceEpoch(year, month, day) * 86_400 + clock) * 1_000_000 + fraction
    let end = Self.daysSinceEpoch(10_000, 1, 1) * 86_400_000_000
    guard (Self.daysSinceEpoch(1, 1, 1) * 86_400_000_000..<end).contains(microseconds) else { return nil }
  }

  package static func == (left: Timestamp, right: Timestamp) -> Bool { left.microseconds == right.microseconds }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  private static func days(in month: Int, of year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 && isLeap ? 29 : [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
  }

  /// Days from 1970-01-01 in the proleptic Gregorian calendar, counted in years that begin with March so that the leap day is
  /// the last of its year.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let marchYear = month > 2 ? year : year - 1
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return marchYear * 365 + marchYear / 4 - marchYear / 100 + marchYear / 400 + dayOfYear - 719_468
  }
}

/// Reads the fixed-width fields of a timestamp from the left.
private struct DigitReader {
  private var rest: Substring.UTF8View

  init(_ text: String) { rest = text[...].utf8 }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(digits count: Int) -> Int? {
    let digits = rest.prefix(count)
    guard digits.count == count, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    rest.removeFirst(count)
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// The microseconds of `.123`, 0 where there is no fraction, nil for a point without digits.
  mutating func fraction() -> Int? {
    guard take(".") else { return 0 }
    let digits = rest.prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty else { return nil }
    rest.removeFirst(digits.count)
    let padded = Array(digits.prefix(6)) + Array(repeating: 0x30, count: max(0, 6 - digits.count))
    return padded.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// Seconds east of UTC: `Z`, `+02:00`.
  mutating func offset() -> Int? {
    if take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = number(digits: 2), take(":"), let minutes = number(digits: 2),
      hours < 24, minutes < 60
    else { return nil }
    return (isWest ? -1 : 1) * (hours * 3600 + minutes * 60)
  }
}
