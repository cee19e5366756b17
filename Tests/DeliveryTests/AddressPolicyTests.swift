import Testing

@testable import Delivery
@testable import Matching

@Suite("Addresses that deliveries may reach") struct AddressPolicyTests {
  private func allows(_ text: String, allowing list: String = "") throws -> Bool {
    try AddressPolicy(allowing: list).allows(#require(Address(text.utf8)))
  }

  @Test(
    "Public addresses are allowed",
    arguments: [
      "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
      "128.0.0.0",
      "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0",
      "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1",
      "::ffff:8.8.8.8", "64:ff9b::8.8.8.8",
    ])
  func publicAddress(text: String) throws { #expect(try allows(text)) }

  @Test(
    "Addresses that are not public are refused",
    arguments: [
      "0.0.0.0", "0.1.2.3", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
      "127.255.255.254",
      "169.254.169.254", "169.254.0.0", "172.16.0.0", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
      "192.168.0.1", "198.18.0.0", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255",
      "240.0.0.1", "255.255.255.255",
      "::", "::1", "::7f00:1", "::808:808", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1",
      "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1", "2001:0:808:808::1",
      "2001:db8::1", "2002:7f00:1::1", "2002:808:808::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd00:ec2::254",
      "fe80::1", "fec0::1", "ff02::1",
    ])
  func specialAddress(text: String) throws { #expect(try !allows(text)) }

  @Test(
    "What the operator names is allowed, and nothing else by it",
    arguments: [
      ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
      ("10.0.0.0/8", "64:ff9b::10.1.2.3", true), ("10.0.0.0/8", "192.168.0.1", false),
      (" 10.0.0.0/8 , 127.0.0.1,", "127.0.0.1", true), ("127.0.0.1", "127.0.0.2", false), ("::1", "::1", true),
      ("0.0.0.0/0", "::1", false), ("0.0.0.0/0", "169.254.169.254", true), ("::/0", "127.0.0.1", false),
      ("fd00::/8", "fd00::1", true),
    ])
  func exceptions(list: String, text: String, expected: Bool) throws {
    #expect(try allows(text, allowing: list) == expected)
  }

  @Test("A list with anything that is no network is refused", arguments: ["localhost", "10.0.0.0/33", "1.1.1.1,x"])
  func invalidList(list: String) throws {
    #expect(throws: AddressPolicy.InvalidNetwork.self) { try AddressPolicy(allowing: list) }
  }
}
