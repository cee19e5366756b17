import JSON
import Testing

@testable import Delivery

@Suite("Configs of providers") struct ConfigTests {
  static let minimal: [(ProviderType, JSONValue)] = [
    (.pagerDuty, ["api_key": "k"]),
    (.slack, ["webhook_url": "https://hooks.slack.com/services/T/B/x"]),
    (.webhook, ["url": "http://127.0.0.1:8080"]),
    (
      .email,
      ["smtp_host": "mail.example.com", "smtp_port": 587, "from_email": "a@example.com", "to_emails": ["b@x.org"]]
    ),
  ]

  @Test("The required members are enough", arguments: minimal)
  func minimalConfig(type: ProviderType, config: JSONValue) throws {
    #expect(try Provider(type, config).type == type)
  }

  @Test("Each required member that is missing is told", arguments: minimal)
  func missing(type: ProviderType, config: JSONValue) {
    let error = #expect(throws: JSONFaults.self) { try Provider(type, [:]) }
    let required = config.object?.members.map { "/config/" + $0.key } ?? []
    #expect(error?.faults.map(\.pointer).sorted() == required.sorted())
  }

  @Test(
    "Everything that the contract names is taken",
    arguments: [
      (
        .pagerDuty,
        #"""
        {"api_key": "k", "service_id": "PX", "urgency": "high", "region": "eu", "severity_map":
        {"critical": "critical", "high": "error", "medium": "warning", "low": "info", "info": "info"}}
        """#
      ),
      (
        .slack,
        #"""
        {"webhook_url": "https://hooks.slack.com/services/T/B/x", "channel": "#ops", "username": "tocsin",
        "icon_emoji": ":bell:", "severity_colors": {"critical": "#FF0000", "info": "#00ff00"}}
        """#
      ),
      (
        .webhook,
        #"""
        {"url": "https://[::1]:8443/a?b=c", "method": "PUT", "headers": {"X-A": "b"}, "timeout": 5, "retry_count": 0,
        "verify_ssl": false, "signing_secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
        """#
      ),
      (
        .email,
        #"""
        {"smtp_host": "::1", "smtp_port": 465, "smtp_username": "u", "smtp_password": "p", "use_tls": true,
        "tls_mode": "implicit", "from_email": "a@example.com", "to_emails": ["b@example.com"],
        "subject_template": "{severity}"}
        """#
      ),
    ] as [(ProviderType, String)])
  func fullConfig(type: ProviderType, text: String) throws {
    let config = try JSONValue(parsing: text.utf8)
    #expect(try Provider(type, config).config == config)
  }

  @Test(
    "A member that cannot be meant so is told by its place",
    arguments: [
      (ProviderType.pagerDuty, ["severity_map": ["high": "high"]], "/severity_map/high"),
      (.pagerDuty, ["severity_map": ["urgent": "error"]], "/severity_map/urgent"),
      (.pagerDuty, ["region": "mars"], "/region"),
      (.pagerDuty, ["api_key": ""], "/api_key"),
      (.pagerDuty, ["apikey": "x"], "/apikey"),
      (.slack, ["webhook_url": "hooks.slack.com/x"], "/webhook_url"),
      (.slack, ["severity_colors": ["high": "red"]], "/severity_colors/high"),
      (.slack, ["severity_colors": ["high": "#FF00"]], "/severity_colors/high"),
      (.webhook, ["method": "GET"], "/method"),
      (.webhook, ["timeout": 0], "/timeout"),
      (.webhook, ["timeout": 121], "/timeout"),
      (.webhook, ["retry_count": -1], "/retry_count"),
      (.webhook, ["verify_ssl": "no"], "/verify_ssl"),
      (.webhook, ["signing_secret": "short"], "/signing_secret"),
      (.webhook, ["headers": ["A B": "x"]], "/headers/A B"),
      (.webhook, ["headers": ["X-A": "x\r\nX-B: y"]], "/headers/X-A"),
      (.webhook, ["headers": ["Content-Length": "1"]], "/headers/Content-Length"),
      (.webhook, ["headers": ["webhook-signature": "v1,x"]], "/headers/webhook-signature"),
      (.webhook, ["headers": ["X-A": 1]], "/headers/X-A"),
      (.webhook, ["headers": []], "/headers"),
      (.email, ["smtp_host": "mail.example.com:25"], "/smtp_host"),
      (.email, ["smtp_host": "mail/x"], "/smtp_host"),
      (.email, ["smtp_port": 0], "/smtp_port"),
      (.email, ["smtp_port": 65_536], "/smtp_port"),
      (.email, ["from_email": "A <a@example.com>"], "/from_email"),
      (.email, ["from_email": "a@example.com\r\nBcc: x@example.com"], "/from_email"),
      (.email, ["to_emails": ["b@example.com", "b@b@c"]], "/to_emails/1"),
      (.email, ["to_emails": ["b@[127.0.0.1]"]], "/to_emails/0"),
      (.email, ["to_emails": []], "/to_emails"),
      (.email, ["smtp_username": "u"], "/smtp_password"),
      (.email, ["smtp_username": "u", "smtp_password": "p", "use_tls": false], "/use_tls"),
      (.email, ["tls_mode": "ssl"], "/tls_mode"),
    ] as [(ProviderType, JSONObject, String)])
  func faultyMember(type: ProviderType, change: JSONObject, pointer: String) throws {
    let minimal = try #require(Self.minimal.first { $0.0 == type }?.1.object)
    let error = #expect(throws: JSONFaults.self) { try Provider(type, .object(minimal.overlaid(with: change))) }
    #expect(error?.faults.map(\.pointer) == ["/config" + pointer])
  }

  @Test(
    "What is no absolute http or https URL is refused",
    arguments: [
      "ftp://example.com", "file:///etc/passwd", "//example.com", "http://", "http:///x", "http://a b/",
      "https://ü.de/",
      "http://user:password@example.com/", "http://example.com:0/", "http://example.com:65536/",
      "http://example.com:x/",
      "http://[::1", "http://[zz]/", "http://exa%6dple.com/", "http://example.com/\r\nX", "http://a\\b/", "http://.a/",
    ])
  func badURL(url: String) {
    let error = #expect(throws: JSONFaults.self) { try Provider(.webhook, ["url": .string(url)]) }
    #expect(error?.faults.map(\.pointer) == ["/config/url"])
  }

  @Test(
    "An absolute http or https URL is taken",
    arguments: [
      "http://example.com", "HTTPS://Example.com/a/b?c=d&e=%20#f", "http://127.0.0.1:8080/", "https://[fe80::1]:443/x",
      "https://a-b_c.example.:8443?x", "http://example.com/@me",
    ])
  func goodURL(url: String) throws {
    #expect(try Provider(.webhook, ["url": .string(url)]).request()?.url == url)
  }
}
