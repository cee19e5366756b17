import JSON

extension EventTokens {
  /// Passes over a value that nobody asks for, checking every byte of it. The next byte is its first.
  ///
  /// Arrays and objects that are open are the bits of a number, so nothing is called and nothing is allocated on the way down.
  func skipValue(_ first: Cursor, depth: Int) throws(JSONSyntaxError) -> Cursor {
    var cursor = first
    var open = 0
    // For each open array or object whether it is an object, the innermost in the lowest bit.
    var kinds: UInt128 = 0
    while true {
      switch byte(at: cursor.place) {
      case UInt8(ascii: "\""):
        _ = try string(&cursor)
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        guard depth + open < JSONValue.depthLimit else { throw tooDeep(at: cursor.place) }
        let isObject = cursor.place.pointee == UInt8(ascii: "{")
        cursor.place = skipSpace(cursor.place + 1)
        if byte(at: cursor.place) == Self.closing(isObject) {
          cursor.place += 1
          break
        }
        open += 1
        kinds = kinds << 1 | (isObject ? 1 : 0)
        if isObject { _ = try key(&cursor) }
        continue
      default:
        cursor.place = try skipScalar(cursor.place)
      }
      // A value has ended, and perhaps what it was in.
      while true {
        if open == 0 { return cursor }
        let isObject = kinds & 1 != 0
        cursor.place = skipSpace(cursor.place)
        let byte = byte(at: cursor.place)
        if byte == UInt8(ascii: ",") {
          cursor.place = skipSpace(cursor.place + 1)
          if isObject { _ = try key(&cursor) }
          break
        }
        guard byte == Self.closing(isObject) else { throw noEnd(isObject, at: cursor.place) }
        cursor.place += 1
        open -= 1
        kinds >>= 1
      }
    }
  }

  /// Reads a key and passes over the colon behind it.
  @inline(__always) func key(_ cursor: inout Cursor) throws(JSONSyntaxError) -> Text {
    guard byte(at: cursor.place) == UInt8(ascii: "\"") else { throw noKey(at: cursor.place) }
    let key = try string(&cursor)
    cursor.place = try skipColon(cursor.place)
    return key
  }

  /// Passes over a number, `true`, `false` or `null`.
  func skipScalar(_ place: Place) throws(JSONSyntaxError) -> Place {
    switch byte(at: place) {
    case UInt8(ascii: "t"): try literal("true", place)
    case UInt8(ascii: "f"): try literal("false", place)
    case UInt8(ascii: "n"): try literal("null", place)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number(place)
    default: throw noValue(at: place)
    }
  }

  @inline(__always) static func closing(_ isObject: Bool) -> UInt8 { isObject ? UInt8(ascii: "}") : UInt8(ascii: "]") }

  @inline(never) func noKey(at place: Place) -> JSONSyntaxError { error("expected a key in double quotes", at: place) }

  @inline(never) func noEnd(_ isObject: Bool, at place: Place) -> JSONSyntaxError {
    error(isObject ? "expected ',' or '}'" : "expected ',' or ']'", at: place)
  }

  @inline(never) func tooDeep(at place: Place) -> JSONSyntaxError {
    error("nested more than \(JSONValue.depthLimit) deep", at: place)
  }
}
