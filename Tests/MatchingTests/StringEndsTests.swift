import JSON
import Testing

@testable import Matching

@Suite("Where strings end") struct StringEndsTests {
  /// What ``StringEnds`` says, found byte by byte: the offset of each closing quote and whether its string is more than plain.
  private func expected(_ text: [UInt8]) -> [UInt32] {
    var ends: [UInt32] = []
    var isInside = false
    var isEscaped = false
    var isOdd = false
    for (offset, byte) in text.enumerated() {
      if isInside, byte == 0x5C || byte < 0x20 || byte >= 0x80 { isOdd = true }
      if byte == 0x22, !isEscaped {
        if isInside { ends.append(UInt32(offset) | (isOdd ? 1 << 31 : 0)) }
        isInside.toggle()
        isOdd = false
      }
      isEscaped = byte == 0x5C && !isEscaped
    }
    return ends + [UInt32(text.count) | 1 << 31]
  }

  private func found(_ text: [UInt8], in ends: inout StringEnds) -> [UInt32] {
    text.withUnsafeBufferPointer { bytes in
      let first = ends.find(in: bytes)
      var count = 1
      while StringEnds.offset(first[count - 1]) < text.count { count += 1 }
      return Array(UnsafeBufferPointer(start: first, count: count))
    }
  }

  @Test("A quote is found wherever it stands in a text of any length, with and without backslashes before it")
  func everyPlace() {
    var ends = StringEnds()
    for length in 0...200 {
      for place in 0..<length {
        var text = Array(repeating: UInt8(ascii: "a"), count: length)
        text[0] = 0x22
        text[place] = 0x22
        #expect(found(text, in: &ends) == expected(text))
        for before in stride(from: place - 1, to: max(0, place - 4), by: -1) {
          text[before] = 0x5C
          #expect(found(text, in: &ends) == expected(text), "\(length), \(before)..<\(place)")
        }
      }
    }
  }

  @Test("Random texts, thick with quotes and backslashes, are read as byte by byte")
  func randomTexts() {
    var ends = StringEnds()
    var generator = SystemRandomNumberGenerator()
    for alphabet in [[0x22], [0x22, 0x5C], [0x22, 0x61], [0x22, 0x5C, 0x61, 0x61, 0x61, 0x0A, 0xC3]] as [[UInt8]] {
      for _ in 0..<300 {
        let text = (0..<Int.random(in: 0...1000, using: &generator)).map { _ in
          alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
        }
        #expect(found(text, in: &ends) == expected(text), "\(text)")
      }
    }
  }
}
