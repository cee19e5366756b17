import Foundation
import TestSupport
import Testing

/// Names that change their addresses under the eyes of the job: `libnss_wrapper` stands in for the resolver, by a file.
@Suite("Deliveries to a name whose address changes") struct DeliverNameTests {
  private let receiver: HTTPReceiver
  private let outbox: Outbox
  private let hosts = FileManager.default.temporaryDirectory.appending(path: "tocsin-hosts-\(UUID().uuidString)")

  init() throws {
    receiver = try HTTPReceiver()
    outbox = try Outbox()
    let port = try #require(receiver.plainURL.split(separator: ":").last)
    try outbox.makeWebhook(url: "http://hook.example.com:\(port)/hook", ["timeout": 5])
  }

  /// Has one alert delivered by a job of its own, which may reach 127.0.0.1, while the name has these addresses.
  private func deliver(to addresses: String...) throws -> [String] {
    try addresses.map { "\($0) hook.example.com\n" }.joined().write(to: hosts, atomically: true, encoding: .utf8)
    defer { unlink(hosts.path) }
    try outbox.database.run("DELETE FROM alert_deliveries")
    try outbox.raise(for: "hook")
    let job = try outbox.start([
      "LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_HOSTS": hosts.path, "ALERTING_OUTBOUND_ALLOW": "127.0.0.1/32",
    ])
    let deliveries = try outbox.deliveries(afterAttempts: 1)
    try job.terminate()
    #expect(job.ending() == .exit(0))
    return deliveries
  }

  @Test(
    "It is the address of the connection that is judged, not the one that the name had before",
    arguments: ["169.254.169.254", "127.0.0.2", "::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254"])
  func changed(address: String) throws {
    #expect(try deliver(to: "127.0.0.1") == ["hook sent 1"])
    let refused = "hook failed 1: the address may not be reached from here: \(address)"
    #expect(try deliver(to: address) == [refused])
    #expect(try receiver.requests().count == 1)
  }

  @Test("Of several addresses, one that is allowed is reached, and the others are not")
  func several() throws {
    #expect(try deliver(to: "169.254.169.254", "127.0.0.1", "127.0.0.2") == ["hook sent 1"])
    #expect(try receiver.requests().count == 1)
  }
}
