import Testing

@testable import Matching

@Suite("Networks") struct NetworkTests {
  private func contains(_ network: String, _ address: String) throws -> Bool {
    try #require(Network(network)).contains(#require(Address(address.utf8)))
  }

  @Test(
    "An address is in a network that shares its leading bits",
    arguments: [
      ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3/8", "10.9.9.9", true),
      ("0.0.0.0/0", "255.255.255.255", true), ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.6", false),
      ("192.0.2.128/25", "192.0.2.127", false), ("2001:db8::/32", "2001:DB8:ffff::1", true),
      ("2001:db8::/32", "2001:db9::", false), ("::1", "::1", true), ("::1/128", "::2", false),
      ("2001:db8:0:8000::/49", "2001:db8:0:7fff::", false), ("2001:db8::/65", "2001:db8::7fff:0:0:0", true),
      ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("fe80::/10", "fe80::1%eth0", true),
      ("10.0.0.0/8", "::ffff:10.1.1.1", true), ("::ffff:10.0.0.0/104", "10.1.1.1", true),
      ("::ffff:0:0/96", "192.0.2.1", true), ("::/0", "10.0.0.1", false), ("::/0", "2001:db8::1", true),
      ("0.0.0.0/0", "::1", false), ("10.0.0.0/8", "::a00:1", false),
    ])
  func containment(network: String, address: String, expected: Bool) throws {
    #expect(try contains(network, address) == expected)
  }

  @Test(
    "Text that is no network is refused",
    arguments: [
      "", "/", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/ 8", "10.0.0/8", "010.0.0.1", "10.0.0.256",
      "::/129",
      "10.0.0.0/8/8", "::ffff:10.0.0.0/95", "localhost", "10.0.0.1 ", ":::", "1:2:3:4:5:6:7:8:9", "10.0.0.1\0",
      "2001:0db8:0000:0000:0000:0000:192.168.100.100111", "10.0.0.1%eth0",
    ])
  func refused(text: String) { #expect(Network(text) == nil) }
}
