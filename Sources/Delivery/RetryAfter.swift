/// The `Retry-After` field of RFC 9110, section 10.2.3: a number of seconds, or a moment.
enum RetryAfter {
  /// The seconds to wait from the moment the reply was received (Unix seconds); nil if the field is neither form.
  /// A moment that has passed is 0.
  static func seconds(_ field: String, receivedAt time: Int) -> Int? {
    let text = field.utf8.drop { $0 == 0x20 || $0 == 0x09 }
    let digits = text.prefix { (0x30...0x39).contains($0) }
    if !digits.isEmpty, text.dropFirst(digits.count).allSatisfy({ $0 == 0x20 || $0 == 0x09 }) {
      return digits.reduce(0) { min($0 * 10 + Int($1 - 0x30), secondsLimit) }
    }
    return CivilTime(httpDate: field).map { min(max(0, $0.unixSeconds - time), secondsLimit) }
  }

  /// More than any wait that matters (about 30 years), so that sums stay far from overflow.
  private static let secondsLimit = 1_000_000_000
}
