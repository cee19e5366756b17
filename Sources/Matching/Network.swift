import Glibc

/// An IPv4 or IPv6 address. An IPv4 address mapped into IPv6 (`::ffff:10.0.0.1`), as servers that speak both write it, is the
/// IPv4 address.
package struct Address: Sendable, Equatable {
  /// Whether it is an address of IPv4.
  package let isIPv4: Bool
  /// The 128 bits of the address, most significant first; an IPv4 address fills the last 32.
  package let high: UInt64
  /// The lower half.
  package let low: UInt64

  /// The most characters of an address: IPv6 with an IPv4 tail.
  private static let textLimit = 45

  /// Reads an address in its usual spelling; a zone (`fe80::1%eth0`) plays no part. Nil for anything else, leading zeros in an
  /// IPv4 address among it.
  package init?(_ text: some Collection<UInt8>) {
    guard text.contains(UInt8(ascii: ":")) else {
      guard let bits = Self.ipv4(text) else { return nil }
      self.init(ipv4: bits)
      return
    }
    let address = text.prefix { $0 != UInt8(ascii: "%") }
    guard address.count <= Self.textLimit, !address.contains(0) else { return nil }
    var bytes: (UInt64, UInt64) = (0, 0)
    let isValid = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.textLimit + 1) { spelling in
      spelling.initialize(repeating: 0)
      for (index, byte) in address.enumerated() { spelling[index] = CChar(bitPattern: byte) }
      return inet_pton(AF_INET6, spelling.baseAddress, &bytes) == 1
    }
    guard isValid else { return nil }
    self.init(high: UInt64(bigEndian: bytes.0), low: UInt64(bigEndian: bytes.1))
  }

  /// Four numbers up to 255 without leading zeros, with dots between them.
  private static func ipv4(_ text: some Collection<UInt8>) -> UInt32? {
    var bits: UInt32 = 0
    var number: UInt32?
    var dots = 0
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard let part = number, dots < 3 else { return nil }
        bits = bits << 8 | part
        number = nil
        dots += 1
      } else {
        guard byte &- 0x30 < 10, number != 0 else { return nil }
        let next = (number ?? 0) * 10 + UInt32(byte - 0x30)
        guard next <= 255 else { return nil }
        number = next
      }
    }
    guard let last = number, dots == 3 else { return nil }
    return bits << 8 | last
  }

  /// The IPv4 address of 32 bits, most significant first.
  package init(ipv4 bits: UInt32) { self.init(isIPv4: true, high: 0, low: UInt64(bits)) }

  /// The IPv6 address of 128 bits, most significant first; a mapped IPv4 address is the IPv4 address.
  package init(high: UInt64, low: UInt64) {
    let isMapped = high == 0 && low >> 32 == 0xFFFF
    self.init(isIPv4: isMapped, high: high, low: isMapped ? low & 0xFFFF_FFFF : low)
  }

  private init(isIPv4: Bool, high: UInt64, low: UInt64) {
    self.isIPv4 = isIPv4
    self.high = high
    self.low = low
  }

  /// The 32 or 128 bits of the address from the most significant bit on, with zeros behind.
  var bits: UInt128 { isIPv4 ? UInt128(low) << 96 : UInt128(high) << 64 | UInt128(low) }
}

/// A range of addresses in CIDR form, such as `10.0.0.0/8`. A network of IPv6 has no IPv4 addresses, not even `::/0`.
package struct Network: Sendable {
  let isIPv4: Bool
  /// How many bits an address must share.
  let length: Int
  /// Those bits from the most significant bit on, with zeros behind.
  let bits: UInt128

  /// Reads `address/length`; an address alone is the network of only that address. Bits behind the length play no part.
  package init?(_ text: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
    guard let address = Address(parts[0]) else { return nil }
    let isSpelledAsIPv4 = !parts[0].contains(UInt8(ascii: ":"))
    let width = isSpelledAsIPv4 ? 32 : 128
    var length = width
    if parts.count == 2 {
      guard let given = Self.length(parts[1]), given <= width else { return nil }
      length = given
    }
    if address.isIPv4, !isSpelledAsIPv4 { length -= 96 }
    guard length >= 0 else { return nil }
    isIPv4 = address.isIPv4
    self.length = length
    bits = address.bits & Self.mask(length)
  }

  /// Whether the address is in the network.
  package func contains(_ other: Address) -> Bool {
    other.isIPv4 == isIPv4 && (other.bits ^ bits) & Self.mask(length) == 0
  }

  private static func length(_ digits: Substring.UTF8View) -> Int? {
    guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  /// So many bits, from the most significant bit on.
  static func mask(_ length: Int) -> UInt128 { length == 0 ? 0 : .max << UInt128(128 - length) }
}
