extension EventTokens.Text {
  /// Appends the text with its escapes decoded, as UTF-8. Half of a surrogate pair on its own becomes U+FFFD.
  ///
  /// The escapes have been checked when the text was read.
  func decode(into decoded: inout FlatArray<UInt8>) {
    var rest = bytes
    while let backslash = rest.firstOffset(of: UInt8(ascii: "\\")) {
      decoded.append(UnsafeBufferPointer(rebasing: rest[..<backslash]))
      rest = rest.from(backslash)
      let escape = Self.escape(rest)
      for unit in escape.scalar.utf8 { decoded.append(unit) }
      rest = rest.from(escape.width)
    }
    decoded.append(rest)
  }

  /// The character that the escape at the beginning of the text stands for, and how many bytes it takes.
  private static func escape(_ text: UnsafeBufferPointer<UInt8>) -> (scalar: Unicode.Scalar, width: Int) {
    switch Unicode.Scalar(text[1]) {
    case "b": return ("\u{8}", 2)
    case "f": return ("\u{C}", 2)
    case "n": return ("\n", 2)
    case "r": return ("\r", 2)
    case "t": return ("\t", 2)
    case "u": break
    case let character: return (character, 2)
    }
    let unit = codeUnit(text, at: 2)
    if let scalar = Unicode.Scalar(unit) { return (scalar, 6) }
    guard unit < 0xDC00, text.count >= 12, text[6] == UInt8(ascii: "\\"), text[7] == UInt8(ascii: "u") else {
      return ("\u{FFFD}", 6)
    }
    let low = codeUnit(text, at: 8)
    guard (0xDC00...0xDFFF).contains(low), let scalar = Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    else { return ("\u{FFFD}", 6) }
    return (scalar, 12)
  }

  private static func codeUnit(_ text: UnsafeBufferPointer<UInt8>, at offset: Int) -> UInt32 {
    (offset..<offset + 4).reduce(0) { $0 << 4 | (EventTokens.hexadecimal(text[$1]) ?? 0) }
  }
}
