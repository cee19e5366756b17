import JSON

extension EventTokens {
  /// Reads a string, whose opening quote is the next byte.
  @inline(__always) func string(_ cursor: inout Cursor) throws(JSONSyntaxError) -> Text {
    let first = cursor.place + 1
    let end = cursor.nextEnd.pointee
    let quote = start + StringEnds.offset(end)
    let isEscaped = StringEnds.isOdd(end) ? try hasEscapes(first, upTo: quote) : false
    cursor.place = quote + 1
    cursor.nextEnd += 1
    return Text(start: first, count: quote - first, isEscaped: isEscaped)
  }

  /// Whether there are escapes in a string that has more than plain ASCII in it; throws at the first byte that is wrong.
  @inline(never)
  private func hasEscapes(_ first: Place, upTo quote: Place) throws(JSONSyntaxError) -> Bool {
    var hasEscapes = false
    var place = skipPlain(from: first)
    while place < quote {
      switch place.pointee {
      case UInt8(ascii: "\\"):
        hasEscapes = true
        place = try skipEscape(at: place)
      case 0..<0x20:
        throw error("control character in a string; escape it as \\u00XX", at: place)
      default:
        place = try skipMultibyte(at: place)
      }
      place = skipPlain(from: place)
    }
    guard quote < end else { throw error("no closing quote for the string that begins", at: first - 1) }
    return hasEscapes
  }

  /// The first byte from a place on that is a quote, a backslash, a control character or not ASCII; sixteen are looked at
  /// together.
  @inline(__always) private func skipPlain(from place: Place) -> Place {
    var place = place
    while end - place >= 16 {
      let bytes = UnsafeRawPointer(place).loadUnaligned(as: SIMD16<UInt8>.self)
      let quotes = bytes .== SIMD16<UInt8>(repeating: 0x22)
      let backslashes = bytes .== SIMD16<UInt8>(repeating: 0x5C)
      // As signed numbers, control characters and what is not ASCII are below the space.
      let others = unsafeBitCast(bytes, to: SIMD16<Int8>.self) .< SIMD16<Int8>(repeating: 0x20)
      let marks = unsafeBitCast(quotes .| backslashes .| others, to: SIMD2<UInt64>.self)
      if marks[0] | marks[1] != 0 {
        let first = marks[0].trailingZeroBitCount >> 3
        return place + (marks[0] != 0 ? first : 8 + marks[1].trailingZeroBitCount >> 3)
      }
      place += 16
    }
    while place < end, place.pointee &- 0x20 < 0x60, place.pointee != UInt8(ascii: "\""),
      place.pointee != UInt8(ascii: "\\")
    { place += 1 }
    return place
  }

  private func skipEscape(at place: Place) throws(JSONSyntaxError) -> Place {
    guard end - place >= 2 else { throw error("the escape is cut off", at: place) }
    switch Unicode.Scalar(place[1]) {
    case "\"", "\\", "/", "b", "f", "n", "r", "t":
      return place + 2
    case "u":
      guard end - place >= 6, (2..<6).allSatisfy({ Self.hexadecimal(place[$0]) != nil }) else {
        throw error("\\u needs four hexadecimal digits", at: place)
      }
      return place + 6
    default:
      throw error("unknown escape", at: place)
    }
  }

  /// Passes over the characters that are not ASCII.
  private func skipMultibyte(at place: Place) throws(JSONSyntaxError) -> Place {
    var place = place
    while place < end, place.pointee >= 0x80 {
      guard let width = UTF8Sequence.width(UnsafeBufferPointer(start: place, count: end - place)) else {
        throw error("invalid UTF-8", at: place)
      }
      place += width
    }
    return place
  }

  /// The value of a hexadecimal digit.
  static func hexadecimal(_ byte: UInt8) -> UInt32? {
    switch byte {
    case 0x30...0x39: UInt32(byte - 0x30)
    case 0x41...0x46, 0x61...0x66: UInt32(byte | 0x20) - 0x57
    default: nil
    }
  }
}
