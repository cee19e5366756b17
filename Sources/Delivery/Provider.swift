import JSON
import Matching

/// A place that alerts are sent to, as a tenant has set it up.
///
/// Reading a document is the only way to make one, so a provider that exists is valid.
package struct Provider: Sendable {
  /// What stands for a secret wherever a provider is shown.
  package static let mask = "********"

  /// The id; nil where the creator leaves it to the server.
  package let id: String?
  /// What people call it.
  package let name: String
  /// A provider that is switched off gets nothing.
  package let isEnabled: Bool
  /// The type that its kind is of.
  package let type: ProviderType
  /// What it is and how it is reached.
  package let kind: ProviderKind
  /// The `config` that the kind was read from, to the letter, secrets included.
  package let config: JSONValue
  /// Every secret of the provider: to be cut out of what is told about it.
  private let secrets: Secrets
  /// The provider as it is stored, secrets included: every member of the contract but the id and those that the server sets.
  package var document: JSONObject {
    ["name": .string(name), "provider_type": .string(type.rawValue), "enabled": .bool(isEnabled), "config": config]
  }

  /// Reads a provider document, all of whose faults are thrown together.
  package init(json: JSONValue) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    id = reader.identifier("provider_id")
    name = reader.requiredString("name", length: 1...255)
    reader.require("provider_type")
    let type = reader.choice("provider_type", of: ProviderType.self)
    isEnabled = reader.bool("enabled") ?? true
    reader.require("config")
    let config = reader.value("config") ?? .null
    let kind = type.flatMap { type in
      reader.nested("config") { (config) throws(JSONFaults) in
        try ProviderKind(type, config: config)
      }
    }
    reader.ignoreServerMembers()
    reader.ignore(["disabled_reason"])
    try reader.finish()
    guard let type, let kind else { preconditionFailure("a provider without faults has a type and a config") }
    self.type = type
    self.kind = kind
    self.config = config
    secrets = Self.secrets(of: type, in: config)
  }

  /// A provider that is nobody's record: one that the operator's own settings name, with the `config` its kind was read from.
  package init(name: String, kind: ProviderKind, config: JSONValue) {
    id = nil
    self.name = name
    isEnabled = true
    type = kind.type
    self.kind = kind
    self.config = config
    secrets = Self.secrets(of: type, in: config)
  }

  private static func secrets(of type: ProviderType, in config: JSONValue) -> Secrets {
    Secrets(ProviderKind.secrets(of: type).flatMap { $0.values(in: config) }.compactMap(\.string))
  }

  /// The provider as people see it: ``document`` with ``mask`` for every secret.
  package static func shown(_ document: JSONObject) -> JSONObject {
    mappingSecrets(in: document) { _, _ in .string(mask) }
  }

  /// A stored document with a partial one set over it. A `config` replaces the stored one whole, but a secret that it gives as
  /// ``mask`` keeps its stored value, as long as the provider stays of its type.
  package static func document(_ stored: JSONObject, changedBy change: JSONObject) -> JSONObject {
    var changed = stored.overlaid(with: change)
    guard let secrets = secrets(of: changed), changed["provider_type"] == stored["provider_type"],
      let old = stored["config"], let new = change["config"]
    else { return changed }
    changed["config"] = secrets.reduce(new) { config, secret in
      secret.mapped(in: config) { value, path in
        value == .string(mask) ? path.reduce(old) { $0?.object?[$1] } ?? value : value
      }
    }
    return changed
  }

  static func secrets(of document: JSONObject) -> [SecretMember]? {
    document["provider_type"]?.string.flatMap(ProviderType.init(rawValue:)).map(ProviderKind.secrets(of:))
  }

  /// What has to be carried for an alert to reach this provider.
  ///
  /// `pagerDutyURL` is where Events v2 is, without `/v2/enqueue`, where it is not PagerDuty's own.
  package func transfer(for notice: AlertNotice, attempt: Attempt, pagerDutyURL: String? = nil) -> Transfer {
    switch kind {
    case .pagerDuty(let pagerDuty): .http(pagerDuty.transfer(for: notice, baseURL: pagerDutyURL))
    case .slack(let slack): .http(slack.transfer(for: notice))
    case .webhook(let webhook): .http(webhook.transfer(for: notice, attempt: attempt))
    case .email(let email): .mail(email.transfer(for: notice, attempt: attempt))
    }
  }

  /// What to send at once in place of what a reply refuses for its form alone; nil where nothing plainer would help.
  package func plainerTransfer(for notice: AlertNotice, after reply: Reply) -> Transfer? {
    guard case .slack(let slack) = kind, case .http(let reply) = reply, Slack.refusesForm(reply) else { return nil }
    return .http(slack.plainTransfer(for: notice))
  }

  /// What a reply that came at a time, in seconds since 1970-01-01T00:00:00Z, means for the delivery.
  package func verdict(on reply: Reply, receivedAt time: Int) -> Verdict {
    judge.verdict(on: reply, receivedAt: time)
  }

  /// For how many seconds the receiver wants to be left alone by all deliveries, by its verdict and, unless its makers ask for a
  /// pace, by what it says of its rate limit; nil where it does not say.
  package func pauseSeconds(after reply: Reply, _ verdict: Verdict, receivedAt time: Int) -> Int? {
    var pauses: [Int] = []
    if case .retry(let after?, _) = verdict, after > 0 { pauses.append(min(after, RetrySchedule.lifetime)) }
    if case .http(let reply) = reply, type.pace == nil, let pause = reply.rateLimit.pauseSeconds(receivedAt: time) {
      pauses.append(pause)
    }
    return pauses.max()
  }

  /// The answer as it may be shown: the first 2 KB, secrets cut out; nil where there was none.
  package func answer(in reply: Reply) -> String? {
    switch reply {
    case .http(let reply): secrets.masked(in: reply)
    case .mail(let reply):
      String(decoding: secrets.masked(in: reply.text).utf8.prefix(HTTPReply.bodyLimit), as: UTF8.self)
    case .failure: nil
    }
  }

  private var judge: RetryJudge {
    switch kind {
    case .pagerDuty: RetryJudge(secrets: secrets, isTaken: PagerDuty.hasTaken) { _ in false }
    case .slack: RetryJudge(secrets: secrets, isTaken: Slack.hasTaken, isGone: Slack.isGone)
    case .webhook: RetryJudge(secrets: secrets, isTaken: { _ in true }, isGone: Webhook.isGone)
    case .email: RetryJudge(secrets: secrets, isTaken: { _ in true }) { _ in false }
    }
  }

  /// When a delivery to this provider is tried again.
  package var retrySchedule: RetrySchedule {
    if case .webhook(let webhook) = kind { RetrySchedule(retryLimit: webhook.retryCount) } else { RetrySchedule() }
  }
}
