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
  static func folded(_ text: String) -> String {
    String(String.UnicodeScalarView(text.unicodeScalars.map(folded)))
  }

  /// Appends UTF-8 text with every code point folded.
  static func fold(_ text: UnsafeBufferPointer<UInt8>, into folded: inout FlatArray<UInt8>) {
    var place = 0
    while place < text.count {
      if text[place] < 0x80 {
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
}
