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
  init?(_ text: some Collection<UInt8>) {
    let isIPv4 = !text.contains(UInt8(ascii: ":"))
    let address = isIPv4 ? text[...] : text.prefix { $0 != UInt8(ascii: "%") }
    guard (2...Self.textLimit).contains(address.count), !address.contains(0) else { return nil }
    var bytes: (UInt64, UInt64) = (0, 0)
    let isValid = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Self.textLimit + 1) { spelling in
      spelling.initialize(repeating: 0)
      for (index, byte) in address.enumerated() { spelling[index] = CChar(bitPattern: byte) }
      return inet_pton(isIPv4 ? AF_INET : AF_INET6, spelling.baseAddress, &bytes) == 1
    }
    guard isValid else { return nil }
    if isIPv4 {
      self.init(isIPv4: true, high: 0, low: UInt64(bigEndian: bytes.0) >> 32)
    } else {
      self.init(high: UInt64(bigEndian: bytes.0), low: UInt64(bigEndian: bytes.1))
    }
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
}

/// A range of addresses in CIDR form, such as `10.0.0.0/8`. A network of IPv6 has no IPv4 addresses, not even `::/0`.
package struct Network: Sendable {
  private let address: Address
  /// The bits that an address must share, in the places of `Address.high` and `Address.low`.
  private let highMask: UInt64
  private let lowMask: UInt64

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
    if isSpelledAsIPv4 {
      length += 96
    } else if address.isIPv4, length < 96 {
      return nil
    }
    self.address = address
    highMask = Self.mask(min(length, 64))
    lowMask = Self.mask(max(length - 64, 0)) & (address.isIPv4 ? 0xFFFF_FFFF : .max)
  }

  /// Whether the address is in the network.
  package func contains(_ other: Address) -> Bool {
    other.isIPv4 == address.isIPv4 && (other.high ^ address.high) & highMask == 0
      && (other.low ^ address.low) & lowMask == 0
  }

  private static func length(_ digits: Substring.UTF8View) -> Int? {
    guard (1...3).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
  }

  private static func mask(_ length: Int) -> UInt64 { length == 0 ? 0 : .max << (64 - length) }
}
