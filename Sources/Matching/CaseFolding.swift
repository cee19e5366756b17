/// Unicode simple case folding: what `case_sensitive: false` means.
///
/// One code point folds to one, by the mappings C and S of CaseFolding.txt, so `ẞ` and `ß` are one letter but `ß` and `ss` are
/// not, and no language has rules of its own (Turkish `İ` and `ı` fold to themselves).
enum CaseFolding {
  /// The code point that stands for it and all its other cases.
  static func folded(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
    var low = 0
    var high = rows.count
    while low < high {
      let middle = (low + high) / 2
      if rows[middle].last < scalar.value { low = middle + 1 } else { high = middle }
    }
    guard low < rows.count, rows[low].first <= scalar.value, (scalar.value - rows[low].first) % rows[low].step == 0
    else {
      return scalar
    }
    return Unicode.Scalar(scalar.value.advanced(by: Int(rows[low].offset))) ?? scalar
  }

  /// The text with every code point folded.
  static func folded(_ text: String) -> String { String(decoding: foldedUTF8(text), as: UTF8.self) }

  /// The text with every code point folded, as UTF-8.
  static func foldedUTF8(_ text: String) -> [UInt8] {
    var folded = FlatArray<UInt8>()
    var text = text
    text.withUTF8 { fold($0, into: &folded) }
    return Array(folded.view(0, folded.count))
  }

  /// Appends UTF-8 text with every code point folded; eight letters of ASCII are folded together.
  static func fold(_ text: UnsafeBufferPointer<UInt8>, into folded: inout FlatArray<UInt8>) {
    let bytes = UnsafeRawBufferPointer(text)
    var place = 0
    while place < text.count {
      if text.count - place >= 8, let letters = foldedASCII(bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
      {
        folded.append(bytesOf: letters)
        place += 8
      } else if text[place] < 0x80 {
        folded.append(text[place] &- 0x41 < 26 ? text[place] | 0x20 : text[place])
        place += 1
      } else {
        var rest = text[place...].makeIterator()
        var decoder = UTF8()
        let scalar =
          if case .scalarValue(let scalar) = decoder.decode(&rest) { scalar } else { "\u{FFFD}" as Unicode.Scalar }
        for unit in Self.folded(scalar).utf8 { folded.append(unit) }
        place += UTF8.width(scalar)
      }
    }
  }

  /// Eight characters with case folded, or nil if they are not all ASCII.
  @inline(__always) private static func foldedASCII(_ characters: UInt64) -> UInt64? {
    let ones: UInt64 = 0x0101_0101_0101_0101
    guard characters & (ones &* 0x80) == 0 else { return nil }
    // The top bit of each sum is set for characters from A on, and for those behind Z.
    let fromA = characters &+ ones &* (0x80 - 0x41)
    let behindZ = characters &+ ones &* (0x80 - 0x5B)
    return characters | (fromA & ~behindZ & (ones &* 0x80)) >> 2
  }
}
