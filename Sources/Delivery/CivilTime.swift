/// A moment in UTC as people write it, and the spellings of it that HTTP and mail use. The calendar is the Gregorian one.
struct CivilTime: Equatable {
  private(set) var year: Int
  private(set) var month: Int
  private(set) var day: Int
  private(set) var hour: Int
  private(set) var minute: Int
  private(set) var second: Int

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
  private static let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]

  /// The moment a number of seconds after 1970-01-01T00:00:00Z.
  init(unixSeconds: Int) {
    let (days, clock) = Self.split(unixSeconds, by: 86_400)
    (hour, minute, second) = (clock / 3600, clock / 60 % 60, clock % 60)
    // Counted from 0000-03-01, in eras of 400 years, so that a leap day is the last day of its year.
    let (era, dayOfEra) = Self.split(days + 719_468, by: 146_097)
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  }

  /// Seconds since 1970-01-01T00:00:00Z.
  var unixSeconds: Int { days * 86_400 + hour * 3600 + minute * 60 + second }

  private var days: Int {
    let marchYear = month > 2 ? year : year - 1
    let (era, yearOfEra) = Self.split(marchYear, by: 400)
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  private static func split(_ number: Int, by divisor: Int) -> (quotient: Int, remainder: Int) {
    let remainder = (number % divisor + divisor) % divisor
    return ((number - remainder) / divisor, remainder)
  }

  /// The date of a mail, RFC 5322 section 3.3: `Sun, 06 Nov 1994 08:49:37 +0000`.
  var mailDate: String {
    let weekday = Self.weekdays[Self.split(days, by: 7).remainder]
    let clock = [hour, minute, second].map(Self.twoDigits).joined(separator: ":")
    return "\(weekday), \(Self.twoDigits(day)) \(Self.months[month - 1]) \(year) \(clock) +0000"
  }

  private static func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}

extension CivilTime {
  /// Reads an HTTP date in any of the three forms that RFC 9110, section 5.6.7, tells recipients to take; nil for others.
  ///
  ///     Sun, 06 Nov 1994 08:49:37 GMT
  ///     Sunday, 06-Nov-94 08:49:37 GMT
  ///     Sun Nov  6 08:49:37 1994
  init?(httpDate text: String) {
    let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map(String.init)
    switch words.count {
    case 6 where words[5] == "GMT": self.init(day: words[1], month: words[2], year: words[3], clock: words[4])
    case 5: self.init(day: words[2], month: words[1], year: words[4], clock: words[3])
    default: return nil
    }
  }

  private init?(day: String, month: String, year: String, clock: String) {
    let parts = clock.split(separator: ":").map { Int($0) }
    guard let day = Int(day), (1...31).contains(day), let month = Self.months.firstIndex(of: month),
      let year = Int(year), (0...9999).contains(year),
      parts.count == 3, let hour = parts[0], let minute = parts[1], let second = parts[2],
      (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
    else { return nil }
    (self.day, self.month) = (day, month + 1)
    self.year = year >= 100 ? year : year + (year < 70 ? 2000 : 1900)
    (self.hour, self.minute, self.second) = (hour, minute, second)
  }
}
