import CRE2

/// A regular expression in RE2's syntax. Searching takes time linear in the text, whatever the pattern.
///
/// It is compiled when it is first searched for: of thousands of patterns most are never, for want of the texts that they
/// require.
final class Pattern: @unchecked Sendable {
  // The C++ side compiles a pattern once and locks what RE2 caches, so sharing one between threads is safe.
  private let handle: OpaquePointer
  /// The pattern as it was given.
  let text: String
  let isCaseSensitive: Bool

  /// Why RE2 refuses a pattern, in its own words: `missing ): (a`.
  struct Refusal: Error {
    let reason: String
  }

  /// The memory that one pattern may take with the states it has visited, in bytes. RE2's own default is 8 MiB; a worker holds
  /// thousands of patterns. A search that needs more goes on without remembered states: slower, still linear.
  private static let memoryLimit: Int64 = 1 << 20

  /// Checks a pattern. Without case sensitivity it begins as if with `(?i)`.
  init(_ text: String, isCaseSensitive: Bool) throws(Refusal) {
    var reason = [CChar](repeating: 0, count: 256)
    var text = text
    let made = text.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) { characters in
        cre2_make(
          characters.baseAddress, characters.count, isCaseSensitive, Self.memoryLimit, &reason, reason.count)
      }
    }
    guard let made else {
      throw Refusal(reason: String(decoding: reason.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
    }
    handle = made
    self.text = text
    self.isCaseSensitive = isCaseSensitive
  }

  deinit { cre2_free(handle) }

  /// Whether the pattern matches anywhere in the text, which is valid UTF-8.
  func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
    text.withMemoryRebound(to: CChar.self) { cre2_search(handle, $0.baseAddress, $0.count) }
  }
}
