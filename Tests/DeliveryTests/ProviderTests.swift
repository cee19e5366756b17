import JSON
import Testing

@testable import Delivery

@Suite("Providers") struct ProviderTests {
  static let stored: JSONObject = [
    "name": "On call", "provider_type": "webhook", "enabled": true,
    "config": [
      "url": "https://example.com/hook", "headers": ["X-Key": "k1", "X-Team": "t1"],
      "signing_secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3",
    ],
  ]

  @Test("What is stored is what was sent, with the defaults of the envelope")
  func document() throws {
    let json: JSONValue = [
      "name": "PD", "provider_type": "pagerduty",
      "config": ["api_key": "0123456789abcdef0123456789abcdef", "service_id": "P1", "urgency": "high", "region": "eu"],
    ]
    let provider = try Provider(json: json)
    #expect(provider.id == nil)
    #expect(provider.isEnabled)
    #expect(provider.document["config"] == json.object?["config"])
  }

  @Test("Secrets are shown masked, and nothing else is")
  func shown() {
    let expected: JSONValue = [
      "url": "https://example.com/hook", "headers": ["X-Key": "********", "X-Team": "********"],
      "signing_secret": "********",
    ]
    #expect(Provider.shown(Self.stored)["config"] == expected)
    #expect(Provider.shown(Self.stored)["name"] == "On call")
  }

  @Test("A change that sends the mask back keeps the stored secret, one by one")
  func masksKeepSecrets() throws {
    let change: JSONObject = [
      "config": ["url": "https://example.com/new", "headers": ["X-Key": "********", "X-New": "n1"]]
    ]
    let changed = Provider.document(Self.stored, changedBy: change)
    #expect(changed["config"] == ["url": "https://example.com/new", "headers": ["X-Key": "k1", "X-New": "n1"]])
    #expect(changed["name"] == "On call")
    _ = try Provider(json: .object(changed))
  }

  @Test("A mask with nothing stored behind it is a fault, also when the type changes")
  func masksWithoutSecrets() {
    let change: JSONObject = ["provider_type": "slack", "config": ["webhook_url": "********"]]
    let changed = Provider.document(Self.stored, changedBy: change)
    let error = #expect(throws: JSONFaults.self) { try Provider(json: .object(changed)) }
    #expect(error?.faults.map(\.pointer) == ["/config/webhook_url"])
  }
}
