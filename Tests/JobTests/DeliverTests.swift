import Glibc
import JSON
import TestSupport
import Testing

@Suite("The job that delivers") struct DeliverTests {
  let receiver: HTTPReceiver
  let outbox: Outbox

  init() throws {
    receiver = try HTTPReceiver()
    outbox = try Outbox(authority: receiver.authority)
    try outbox.makeWebhook(url: receiver.url + "/hook")
  }

  @Test("What fails is tried again by itself, with the same id")
  func retry() throws {
    try receiver.answer("/hook", with: .init(503), .init(200))
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 2"]) == ["hook sent 2"])
    let requests = try receiver.requests()
    #expect(requests.count == 2)
    #expect(requests[0].headers["webhook-id"] == requests[1].headers["webhook-id"])
    #expect((4...9).contains(requests[1].time - requests[0].time))
  }

  @Test("Retry-After is honoured, also when it is hours")
  func retryAfter() throws {
    try receiver.answer("/hook", with: .init(429, headers: [("Retry-After", "7200")]))
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(afterAttempts: 1) == ["hook pending 1: answered 429"])
    #expect((7200...7920).contains(try outbox.wait()))
  }

  @Test("A receiver that will take no more for now gets nothing more until then, though it took this one")
  func rateLimit() throws {
    try receiver.answer(
      "/hook", with: .init(headers: [("RateLimit", #""hour";r=0;t=3600"#)]),
      .init(headers: [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Reset", "3")]), .init(200))
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(become: ["hook sent 1"]) == ["hook sent 1"])
    let held = try outbox.database.texts(
      "SELECT round(extract(epoch FROM paced_until - now()) / 60)::text FROM alert_provider_health")
    #expect(held == ["60"])
    try outbox.raise(for: "hook")
    try outbox.database.run("UPDATE alert_provider_health SET paced_until = now()")
    #expect(try outbox.deliveries(become: ["hook sent 1", "hook sent 1"]) == ["hook sent 1", "hook sent 1"])
    try outbox.raise(for: "hook")
    let requests = try receiver.waitForRequests(3, to: "/hook")
    #expect((2.5...10).contains(requests[2].time - requests[1].time))
  }

  @Test("What is refused for good is not tried again", arguments: [301, 400, 404, 410])
  func rejected(status: Int) throws {
    let elsewhere = [("Location", receiver.url + "/elsewhere")]
    try receiver.answer("/hook", with: .init(status, headers: elsewhere, body: Array("nothing here".utf8)))
    try outbox.start()
    try outbox.raise(for: "hook")
    #expect(try outbox.deliveries(afterAttempts: 1) == ["hook failed 1: answered \(status): nothing here"])
    #expect(try receiver.requests(to: "/elsewhere").isEmpty)
  }

  @Test("A provider's own number of retries ends in a dead delivery")
  func dead() throws {
    try receiver.answer("/once", with: .init(500))
    try outbox.makeWebhook("once", url: receiver.url + "/once", ["retry_count": 1])
    try outbox.start()
    try outbox.raise(for: "once")
    #expect(try outbox.deliveries(afterAttempts: 1) == ["once pending 1: answered 500"])
    try outbox.makeDue()
    #expect(try outbox.deliveries(become: ["once dead 2: answered 500"]) == ["once dead 2: answered 500"])
  }

  @Test("A receiver that hangs does not hold the others, however long it hangs")
  func hangingReceiver() throws {
    try receiver.answer("/hanging", with: .init(ending: .hang))
    try outbox.makeWebhook("hanging", url: receiver.url + "/hanging", ["timeout": 60])
    try outbox.start()
    try outbox.raise(20, for: "hanging")
    _ = try receiver.waitForRequests(8, to: "/hanging")
    try outbox.raise(30, for: "hook")
    #expect(try receiver.waitForRequests(30, to: "/hook", within: 20).count == 30)
    try poll(within: 20) { try outbox.deliveries().filter { $0 == "hook sent 1" }.count == 30 }
    #expect(try outbox.deliveries().filter { $0 == "hanging pending 1" }.count == 8)
  }

  @Test("The time that a provider gives its receiver is kept")
  func timeout() throws {
    try receiver.answer("/slow", with: .init(ending: .hang))
    try outbox.makeWebhook("slow", url: receiver.url + "/slow", ["timeout": 1])
    try outbox.start()
    try outbox.raise(for: "slow")
    let state = try #require(try outbox.deliveries(afterAttempts: 1).first)
    #expect(state.hasPrefix("slow pending 1: no answer in time"))
  }

  @Test("A certificate that nobody vouches for is not trusted, unless the provider says so")
  func certificates() throws {
    let stranger = try HTTPReceiver()
    try outbox.makeWebhook("wary", url: stranger.url + "/wary")
    try outbox.makeWebhook("bold", url: stranger.url + "/bold", ["verify_ssl": false])
    try outbox.start()
    try outbox.raise(for: "wary", "bold")
    let states = try outbox.deliveries(afterAttempts: 1)
    #expect(states.first == "bold sent 1")
    #expect(states.last?.hasPrefix("wary pending 1: no secure connection") == true)
    #expect(try stranger.requests().map(\.path) == ["/bold"])
  }

  @Test("An address that is not public is not reached, whatever name it has, unless the operator allows it")
  func forbiddenAddress() throws {
    try outbox.makeWebhook("named", url: receiver.url.replacing("127.0.0.1", with: "localhost") + "/named")
    try outbox.start(["ALERTING_OUTBOUND_ALLOW": "10.0.0.0/8"])
    try outbox.raise(for: "hook", "named")
    let states = try outbox.deliveries(afterAttempts: 1)
    #expect(states.count == 2)
    #expect(states.allSatisfy { $0.contains("failed 1: the address may not be reached from here: ") })
    #expect(try receiver.requests().isEmpty)
  }

  @Test("Settings that are no longer valid are told, and block nothing")
  func invalidProvider() throws {
    try outbox.makeWebhook("broken", url: receiver.url + "/broken")
    try outbox.raise(for: "broken", "hook")
    try outbox.database.run("UPDATE alert_providers SET config = '{}' WHERE provider_id = 'broken'")
    try outbox.start()
    let reason = "the provider's settings are not valid: /config/url is required"
    #expect(try outbox.deliveries(afterAttempts: 1) == ["broken failed 1: \(reason)", "hook sent 1"])
  }
}
