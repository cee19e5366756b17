/// Hexadecimal digits, in lower case.
package enum Hexadecimal {
  /// Bytes as text, two digits each.
  package static func encoded(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}
