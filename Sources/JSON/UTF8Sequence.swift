/// Characters that are not ASCII, in UTF-8.
package enum UTF8Sequence {
  /// How many bytes the first character has of a text that begins with a byte of 0x80 or more; nil if they are not UTF-8 (Unicode
  /// standard, table 3-7: no surrogates, nothing longer than it need be, nothing past U+10FFFF).
  package static func width(_ text: UnsafeBufferPointer<UInt8>) -> Int? {
    let second: ClosedRange<UInt8>
    let width: Int
    switch text[0] {
    case 0xC2...0xDF: (width, second) = (2, 0x80...0xBF)
    case 0xE0: (width, second) = (3, 0xA0...0xBF)
    case 0xED: (width, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (width, second) = (3, 0x80...0xBF)
    case 0xF0: (width, second) = (4, 0x90...0xBF)
    case 0xF1...0xF3: (width, second) = (4, 0x80...0xBF)
    case 0xF4: (width, second) = (4, 0x80...0x8F)
    default: return nil
    }
    guard text.count >= width, second.contains(text[1]), text[2..<max(2, width)].allSatisfy({ $0 & 0xC0 == 0x80 })
    else {
      return nil
    }
    return width
  }
}
