import JSON

/// The kinds of provider, by their names in the contract.
package enum ProviderType: String, CaseIterable, Sendable {
  case pagerDuty = "pagerduty"
  case slack, webhook, email
}

/// What a provider is, with its settings.
package enum ProviderKind: Sendable {
  case pagerDuty(PagerDuty)
  case slack(Slack)
  case webhook(Webhook)
  case email(Email)

  /// Reads the `config` of a type.
  package init(_ type: ProviderType, config: JSONValue) throws(JSONFaults) {
    self =
      switch type {
      case .pagerDuty: .pagerDuty(try PagerDuty(json: config))
      case .slack: .slack(try Slack(json: config))
      case .webhook: .webhook(try Webhook(json: config))
      case .email: .email(try Email(json: config))
      }
  }

  /// The type.
  var type: ProviderType {
    switch self {
    case .pagerDuty: .pagerDuty
    case .slack: .slack
    case .webhook: .webhook
    case .email: .email
    }
  }

  /// The members of a type's `config` that are shown masked.
  static func secrets(of type: ProviderType) -> [SecretMember] {
    switch type {
    case .pagerDuty: PagerDuty.secrets
    case .slack: Slack.secrets
    case .webhook: Webhook.secrets
    case .email: Email.secrets
    }
  }
}

/// A member of a `config` that may be written but is never shown.
enum SecretMember: Sendable {
  /// The member's value.
  case value(String)
  /// Each value of the object that the member is.
  case values(of: String)

  /// A config with the secret, where it is there, replaced by what a function makes of it and of the keys that lead to it.
  func mapped(in config: JSONValue, _ transform: (JSONValue, [String]) -> JSONValue) -> JSONValue {
    guard case .object(var object) = config else { return config }
    switch self {
    case .value(let key):
      object[key] = object[key]?.unlessNull.map { transform($0, [key]) }
    case .values(let key):
      guard let members = object[key]?.object?.members else { break }
      object[key] = .object(JSONObject(members.map { ($0.key, transform($0.value, [key, $0.key])) }))
    }
    return .object(object)
  }

  /// The secret's values in a config.
  func values(in config: JSONValue) -> [JSONValue] {
    switch self {
    case .value(let key): config.object?[key].map { [$0] } ?? []
    case .values(let key): config.object?[key]?.object?.members.map(\.value) ?? []
    }
  }
}

extension ObjectReader {
  /// A secret string. The mask is a fault: where it stood for a stored secret it has been replaced by that before.
  mutating func secret(_ key: String, length: ClosedRange<Int> = 1...4096) -> String? {
    guard let text = string(key, length: length) else { return nil }
    if text == Provider.mask { fault(key, "is the mask of a stored secret, and there is none to keep") }
    return text
  }

  /// A secret string that must be there; an empty one stands in for a faulty one.
  mutating func requiredSecret(_ key: String) -> String {
    require(key)
    return secret(key) ?? ""
  }
}
