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

  /// Appends the text, which is valid UTF-8, with every code point folded.
  static func fold(_ text: UnsafeBufferPointer<UInt8>, into folded: inout FlatArray<UInt8>) {
    var rest = text[...]
    while let byte = rest.first {
      if byte < 0x80 {
        folded.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
        rest.removeFirst()
      } else {
        var iterator = rest.makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator) else { return }
        rest.removeFirst(UTF8.width(scalar))
        for unit in Self.folded(scalar).utf8 { folded.append(unit) }
      }
    }
  }
}
