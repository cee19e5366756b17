import Delivery
import JSON

/// An HTTP endpoint that gets the event itself, signed by Standard Webhooks as deliveries are.
struct WebhookHook: ProviderHook {
  let provider: Provider
  private let webhook: Webhook

  init(name: String, config: JSONValue) throws(JSONFaults) {
    webhook = try Webhook(hook: config)
    provider = Provider(name: name, kind: .webhook(webhook), config: config)
  }

  func errand(for message: StorageMessage, attempt: Attempt) -> Errand {
    .transfer(.http(webhook.transfer(of: message.event.json, attempt: attempt)))
  }
}

/// A hook whose way is that of a provider's kind.
protocol ProviderHook: StorageAlertHook {
  var provider: Provider { get }
}

extension ProviderHook {
  var name: String { provider.name }

  func verdict(on reply: ErrandReply, at now: Int) -> Verdict {
    guard case .transfer(let reply) = reply else { preconditionFailure("a transfer has the reply of one") }
    return provider.verdict(on: reply, receivedAt: now)
  }

  func answer(in reply: ErrandReply) -> String? {
    guard case .transfer(let reply) = reply else { preconditionFailure("a transfer has the reply of one") }
    return provider.answer(in: reply)
  }
}
