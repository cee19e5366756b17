import JSON

/// Reads the tokens of a JSON text in place by RFC 8259: nothing is copied, every byte is checked.
///
/// A reader holds its cursor itself and gets the next one back from each call, so that it can stay in registers. The memory
/// belongs to the caller and must outlive the tokens; no byte outside of it is read.
struct EventTokens {
  typealias Place = UnsafePointer<UInt8>

  /// How far a text has been read.
  struct Cursor {
    /// The next byte.
    var place: Place
    /// The end of the next string among ``StringEnds``. Whoever passes over a string takes one, and between strings no quote and
    /// no backslash passes as a token, so it is always that of the string at hand.
    var nextEnd: UnsafePointer<UInt32>
  }

  /// A string without its quotes, or a number.
  struct Text {
    let start: Place
    let count: Int
    /// Whether there are escapes to decode.
    var isEscaped = false

    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }
  }

  let start: Place
  let end: Place

  init(start: Place, count: Int) {
    self.start = start
    end = start + count
  }

  /// An error at a place, its offset counted from the beginning of the text.
  @inline(never) func error(_ reason: String, at place: Place) -> JSONSyntaxError {
    JSONSyntaxError(offset: place - start, reason: reason)
  }

  /// The error of a place where a value should begin.
  @inline(never) func noValue(at place: Place) -> JSONSyntaxError {
    error(place == end ? "expected a value, found the end" : "expected a value", at: place)
  }

  /// The byte at a place, or 0 at the end, where no token begins with 0.
  @inline(__always) func byte(at place: Place) -> UInt8 { place < end ? place.pointee : 0 }

  /// The first byte from a place on that is not white space, or the end.
  @inline(__always) func skipSpace(_ place: Place) -> Place {
    byte(at: place) <= 0x20 ? skipSpaces(place) : place
  }

  private func skipSpaces(_ place: Place) -> Place {
    var place = place
    while place < end, place.pointee <= 0x20, 1 << UInt64(place.pointee) & 0x1_0000_2600 as UInt64 != 0 { place += 1 }
    return place
  }

  /// Passes over the colon, and white space, between a key and its value.
  @inline(__always) func skipColon(_ place: Place) throws(JSONSyntaxError) -> Place {
    let colon = skipSpace(place)
    guard byte(at: colon) == UInt8(ascii: ":") else { throw error("expected ':' behind the key", at: colon) }
    return skipSpace(colon + 1)
  }

  /// Reads `true`, `false` or `null`.
  func literal(_ word: StaticString, _ place: Place) throws(JSONSyntaxError) -> Place {
    let count = word.utf8CodeUnitCount
    let text = UnsafeBufferPointer(start: place, count: min(count, end - place))
    guard text.isEqual(to: UnsafeBufferPointer(start: word.utf8Start, count: count)) else { throw noValue(at: place) }
    return place + count
  }

  /// Reads a number and tells where it ends.
  func number(_ first: Place) throws(JSONSyntaxError) -> Place {
    let whole = byte(at: first) == UInt8(ascii: "-") ? first + 1 : first
    var place = skipDigits(whole)
    var isValid = place > whole && (whole.pointee != UInt8(ascii: "0") || place == whole + 1)
    if byte(at: place) == UInt8(ascii: ".") {
      let fraction = place + 1
      place = skipDigits(fraction)
      isValid = isValid && place > fraction
    }
    if byte(at: place) | 0x20 == UInt8(ascii: "e") {
      place += 1
      if byte(at: place) == UInt8(ascii: "-") || byte(at: place) == UInt8(ascii: "+") { place += 1 }
      let exponent = place
      place = skipDigits(exponent)
      isValid = isValid && place > exponent
    }
    switch byte(at: place) {
    case UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "E"), UInt8(ascii: "e"): isValid = false
    default: break
    }
    guard isValid else { throw error("malformed number", at: first) }
    return place
  }

  @inline(__always) private func skipDigits(_ place: Place) -> Place {
    var place = place
    while place < end, place.pointee &- 0x30 < 10 { place += 1 }
    return place
  }
}
