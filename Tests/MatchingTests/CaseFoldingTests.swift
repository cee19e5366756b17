import Foundation
import Testing

@testable import Matching

@Suite("Case folding") struct CaseFoldingTests {
  /// What Perl's copy of CaseFolding.txt says: each line a code point and what it folds to, hexadecimal.
  private static func mappingsOfPerl() throws -> (version: String, mappings: [UInt32: UInt32]) {
    let program = """
      use Unicode::UCD qw(casefold); print Unicode::UCD::UnicodeVersion(), "\\n";
      for my $c (0..0xD7FF, 0xE000..0x10FFFF) {
        my $f = casefold($c) or next; printf "%X %s\\n", $c, $f->{simple} if $f->{simple} ne "";
      }
      """
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/perl")
    process.arguments = ["-e", program]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    let lines = text.split(separator: "\n")
    let pairs = lines.dropFirst().map { line in line.split(separator: " ").compactMap { UInt32($0, radix: 16) } }
    return (String(lines.first ?? ""), Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) }))
  }

  @Test("Every code point folds as CaseFolding.txt says, by the mappings C and S")
  func everyCodePoint() throws {
    let (version, mappings) = try Self.mappingsOfPerl()
    try #require(version == "14.0.0")
    #expect(mappings.values.count > 1400)
    let wrong = (0...UInt32(0x10FFFF)).compactMap(Unicode.Scalar.init).filter { scalar in
      CaseFolding.folded(scalar).value != mappings[scalar.value] ?? scalar.value
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test("Text folds to the same bytes, whether as a string or as UTF-8")
  func utf8() {
    let text = "Straße ẞ ΟΔΟΣ οδος ǅ ſ K İı ﬀ 𐐀 Ⱥ\0é"
    #expect(CaseFolding.folded(text) == "straße ß οδοσ οδοσ ǆ s k İı ﬀ 𐐨 ⱥ\0é")
    var folded = FlatArray<UInt8>()
    Array(text.utf8).withUnsafeBufferPointer { CaseFolding.fold($0, into: &folded) }
    #expect(Array(folded.view(0, folded.count)) == Array(CaseFolding.folded(text).utf8))
  }
}
