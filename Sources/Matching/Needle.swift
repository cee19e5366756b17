/// A text to look for in others, in time linear in their length, whatever both are (the algorithm of Morris and Pratt).
struct Needle: Sendable {
  let bytes: [UInt8]
  /// For each number of bytes that have matched, how many still match when the search moves on.
  private let fallbacks: [Int32]

  /// The needle for a text, or for the text with case folded.
  init(_ text: String, _ isFolded: Bool) {
    bytes = isFolded ? CaseFolding.foldedUTF8(text) : Array(text.utf8)
    var fallbacks = Array(repeating: Int32(0), count: bytes.count + 1)
    var matched = 0
    for index in bytes.indices.dropFirst() {
      while matched > 0, bytes[matched] != bytes[index] { matched = Int(fallbacks[matched]) }
      if bytes[matched] == bytes[index] { matched += 1 }
      fallbacks[index + 1] = Int32(matched)
    }
    self.fallbacks = fallbacks
  }

  func isPart(of text: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let first = bytes.first else { return true }
    var matched = 0
    var index = 0
    while text.count - index >= bytes.count - matched {
      if matched == 0 {
        guard let next = text.from(index).firstOffset(of: first) else { return false }
        index += next
      }
      while index < text.count, bytes[matched] == text[index] {
        matched += 1
        index += 1
        if matched == bytes.count { return true }
      }
      if matched == 0 { index += 1 } else { matched = Int(fallbacks[matched]) }
    }
    return false
  }

  func begins(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    text.count >= bytes.count
      && bytes.withUnsafeBufferPointer {
        UnsafeBufferPointer(rebasing: text[..<bytes.count]).isEqual(to: $0)
      }
  }

  func ends(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    text.count >= bytes.count && bytes.withUnsafeBufferPointer { text.from(text.count - bytes.count).isEqual(to: $0) }
  }
}
