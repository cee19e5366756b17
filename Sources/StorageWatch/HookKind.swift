import Delivery
import JSON

/// The kinds of hook, by their names in the settings.
package enum HookKind: String, CaseIterable, Sendable {
  case webhook, slack
  case pagerDuty = "pagerduty"
  case email, command

  /// Reads a hook: `name`, `kind` and what the kind has beside them.
  static func hook(json: JSONValue, pagerDutyURL: String?) throws(JSONFaults) -> any StorageAlertHook {
    var reader = try ObjectReader(json, acceptsOthers: true)
    let name = reader.requiredString("name", length: 1...80)
    reader.require("kind")
    let kind = reader.choice("kind", of: HookKind.self)
    let hook = kind.flatMap { kind in
      reader.merge { () throws(JSONFaults) in
        try kind.hook(name: name, config: config(of: json), pagerDutyURL: pagerDutyURL)
      }
    }
    try reader.finish()
    guard let hook else { preconditionFailure("a hook without faults has a kind") }
    return hook
  }

  private static func config(of json: JSONValue) -> JSONValue {
    var config = json.object ?? [:]
    config["name"] = nil
    config["kind"] = nil
    return .object(config)
  }

  private func hook(
    name: String, config: JSONValue, pagerDutyURL: String?
  ) throws(JSONFaults) -> any StorageAlertHook {
    switch self {
    case .webhook: try WebhookHook(name: name, config: config)
    case .slack: try NoticeHook(name: name, .slack, config: config)
    case .pagerDuty: try NoticeHook(name: name, .pagerDuty, config: config, pagerDutyURL: pagerDutyURL)
    case .email: try NoticeHook(name: name, .email, config: config)
    case .command: try CommandHook(name: name, config: config)
    }
  }
}
