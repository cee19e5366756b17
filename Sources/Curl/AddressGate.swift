import CCurl
import Delivery
import Glibc

/// Stands between a transfer and each of its connections: opens a socket only to an address that the policy allows.
final class AddressGate {
  private let policy: AddressPolicy
  private var isPassed = false
  private var turnedAway: String?

  init(policy: AddressPolicy) { self.policy = policy }

  /// The address that the transfer was not let through to; nil if it was let through to any.
  var refusedAddress: String? { isPassed ? nil : turnedAway }

  func guardConnections(of handle: EasyHandle) throws(EasyHandle.Refused) {
    try handle.set(
      socketOpener: { gate, purpose, address in
        guard let gate, let address, purpose == CURLSOCKTYPE_IPCXN else { return CURL_SOCKET_BAD }
        return Unmanaged<AddressGate>.fromOpaque(gate).takeUnretainedValue().socket(to: address)
      }, for: self)
  }

  private func socket(to address: UnsafePointer<curl_sockaddr>) -> CInt {
    let bytes = UnsafeRawPointer(CCurl_socketAddress(address))
    guard allows(bytes, family: address.pointee.family) else {
      turnedAway = text(bytes, address)
      return CURL_SOCKET_BAD
    }
    isPassed = true
    let type = address.pointee.socktype | CInt(SOCK_CLOEXEC.rawValue)
    return Glibc.socket(address.pointee.family, type, address.pointee.protocol)
  }

  private func allows(_ address: UnsafeRawPointer, family: CInt) -> Bool {
    switch family {
    case AF_INET:
      return policy.allows(ipv4: UInt32(bigEndian: address.load(as: sockaddr_in.self).sin_addr.s_addr))
    case AF_INET6:
      let parts = withUnsafeBytes(of: address.load(as: sockaddr_in6.self).sin6_addr) {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      return policy.allows(ipv6High: UInt64(bigEndian: parts.0), low: UInt64(bigEndian: parts.1))
    default:
      return false
    }
  }

  private func text(_ bytes: UnsafeRawPointer, _ address: UnsafePointer<curl_sockaddr>) -> String {
    var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let code = getnameinfo(
      bytes.assumingMemoryBound(to: sockaddr.self), address.pointee.addrlen, &host, socklen_t(host.count), nil, 0,
      NI_NUMERICHOST)
    return code == 0 ? host.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" } : "unknown"
  }
}
