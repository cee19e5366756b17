import Matching

/// Which addresses a delivery may connect to. A tenant writes the URLs, so without a policy it could make the service
/// speak to machines that only the service can reach: its own host, its private network, a cloud's metadata service.
///
/// The addresses of the public internet are allowed, and what the operator names beside them. A host's name decides
/// nothing: it is the address of each connection that is judged, so a name that changes its address between two
/// look-ups gains nothing.
package struct AddressPolicy: Sendable {
  private let exceptions: [Network]

  /// An entry of the operator's list that is no network.
  package struct InvalidNetwork: Error, Equatable, CustomStringConvertible {
    /// The entry as it was written.
    package let text: String

    package var description: String { "\"\(text)\" is neither an IP address nor a network such as 10.0.0.0/8" }
  }

  /// Reads the networks that are allowed though they are not public: CIDR, parted by commas, spaces around them
  /// ignored.
  package init(allowing list: String = "") throws(InvalidNetwork) {
    var exceptions: [Network] = []
    for entry in list.split(separator: ",") {
      let text = entry.split(separator: " ").joined(separator: " ")
      if text.isEmpty { continue }
      guard let network = Network(text) else { throw InvalidNetwork(text: text) }
      exceptions.append(network)
    }
    self.exceptions = exceptions
  }

  /// Every address: for what the operator configures, who may reach what the machine may reach.
  package static let everywhere = AddressPolicy(exceptions: ["0.0.0.0/0", "::/0"].compactMap(Network.init))

  private init(exceptions: [Network]) { self.exceptions = exceptions }

  /// Whether a delivery may connect to the IPv4 address, given as 32 bits, most significant first.
  package func allows(ipv4 bits: UInt32) -> Bool { allows(Address(ipv4: bits)) }

  /// Whether a delivery may connect to the IPv6 address, given as 128 bits, most significant first. One that only leads
  /// to an IPv4 address (mapped, or translated by NAT64) is judged as that.
  package func allows(ipv6High high: UInt64, low: UInt64) -> Bool { allows(Address(high: high, low: low)) }

  func allows(_ address: Address) -> Bool {
    if exceptions.contains(where: { $0.contains(address) }) { return true }
    if address.isIPv4 { return !Self.special4.contains { $0.contains(address) } }
    if Self.translated.contains(where: { $0.contains(address) }) {
      return allows(ipv4: UInt32(truncatingIfNeeded: address.low))
    }
    return Self.global6.contains { $0.contains(address) } && !Self.special6.contains { $0.contains(address) }
  }

  /// IPv4 by the IANA IPv4 Special-Purpose Address Registry (RFC 6890) with multicast and what is reserved.
  private static let special4 = [
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
    "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/3",
  ].compactMap(Network.init)

  /// The well-known prefix of NAT64 (RFC 6052): the last 32 bits are the IPv4 address.
  private static let translated = ["64:ff9b::/96"].compactMap(Network.init)

  /// All of IPv6 that is assigned for the public internet (RFC 4291, section 2.4). Outside are the unspecified address,
  /// loopback, IPv4-compatible, private (fc00::/7), link-local, site-local and multicast addresses and local NAT64.
  private static let global6 = ["2000::/3"].compactMap(Network.init)

  /// What of it is not public by the IANA IPv6 Special-Purpose Address Registry: protocols, Teredo among them, 6to4,
  /// which both carry IPv4 to wherever the address says, and addresses for documentation.
  private static let special6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"].compactMap(Network.init)
}
