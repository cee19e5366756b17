import JSON

/// Any HTTP endpoint of the tenant, spoken to and signed by Standard Webhooks 1.0:
/// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package struct Webhook: Sendable {
  /// Any header may carry a key by any name, so the values of all of them are secrets.
  static let secrets: [SecretMember] = [
    .value("signing_secret"), .value("previous_signing_secret"), .values(of: "headers"),
  ]

  /// How many more attempts follow the first; nil for the whole schedule.
  let retryCount: Int?
  private let url: String
  private let method: Method
  private let headers: [HTTPTransfer.Header]
  private let timeoutSeconds: Int
  private let verifiesTLS: Bool
  /// The keys to sign with: while a receiver moves to a new secret there are two, and it may check either.
  private let signingKeys: [[UInt8]]

  /// The methods that carry a body.
  enum Method: String, CaseIterable, Sendable {
    case post = "POST"
    case put = "PUT"
    case patch = "PATCH"
  }

  /// Reads a provider's `config`.
  init(json: JSONValue) throws(JSONFaults) { try self.init(json: json, isHook: false) }

  /// Reads the settings of a hook, which is tried again by its owner's rules, within `timeout_secs`.
  package init(hook json: JSONValue) throws(JSONFaults) { try self.init(json: json, isHook: true) }

  private init(json: JSONValue, isHook: Bool) throws(JSONFaults) {
    var reader = try ObjectReader(json)
    url = reader.webURL("url")
    method = reader.choice("method") ?? .post
    headers = reader.nested("headers", Self.headers(json:)) ?? []
    let timeout = reader.integer(isHook ? "timeout_secs" : "timeout", in: 1...Transfer.longestSeconds)
    timeoutSeconds = timeout ?? (isHook ? 10 : 30)
    retryCount = isHook ? nil : reader.integer("retry_count", in: 0...100)
    verifiesTLS = reader.bool("verify_ssl") ?? true
    signingKeys = ["signing_secret", "previous_signing_secret"].compactMap { reader.signingKey($0) }
    try reader.finish()
  }

  private static func headers(json: JSONValue) throws(JSONFaults) -> [HTTPTransfer.Header] {
    guard let members = json.object?.members else {
      throw JSONFaults("must be an object of header names and values, not \(json.kind)")
    }
    guard members.count <= 50 else { throw JSONFaults("must have at most 50 headers") }
    var reader = try ObjectReader(json)
    var headers: [HTTPTransfer.Header] = []
    for name in members.map(\.key) {
      guard let value = reader.secret(name, length: 0...4096) else { continue }
      if let fault = HeaderSyntax.fault(name: name, value: value) { reader.fault(name, fault) }
      headers.append(HTTPTransfer.Header(name: name, value: value))
    }
    try reader.finish()
    return headers
  }

  /// Standard Webhooks: 410 asks the sender to send nothing any more.
  static func isGone(_ status: Int) -> Bool { status == 410 }

  /// The request that tells of an alert.
  func transfer(for notice: AlertNotice, attempt: Attempt) -> HTTPTransfer {
    transfer(of: WebhookEvent(notice: notice).json, attempt: attempt)
  }

  /// The request that carries a body in JSON: the same body and id with every attempt, a timestamp and a signature of its own.
  package func transfer(of body: [UInt8], attempt: Attempt) -> HTTPTransfer {
    let timestamp = String(attempt.time)
    let own = Set(headers.map { $0.name.lowercased() })
    var all = [.json, .userAgent].filter { !own.contains($0.name.lowercased()) } + headers
    all.append(HTTPTransfer.Header(name: "webhook-id", value: attempt.deliveryID))
    all.append(HTTPTransfer.Header(name: "webhook-timestamp", value: timestamp))
    if !signingKeys.isEmpty {
      let signed = Array("\(attempt.deliveryID).\(timestamp).".utf8) + body
      let signatures = signingKeys.map { "v1," + Base64.encoded(Digest.hmacSHA256(signed, key: $0)) }
      all.append(HTTPTransfer.Header(name: "webhook-signature", value: signatures.joined(separator: " ")))
    }
    return HTTPTransfer(
      url: url, method: method.rawValue, headers: all, body: body, verifiesTLS: verifiesTLS,
      timeoutSeconds: timeoutSeconds)
  }
}

/// The body that a webhook gets.
private struct WebhookEvent: JSONWritable {
  let notice: AlertNotice

  func write(to writer: inout JSONWriter) {
    writer.object { members in
      switch notice.occasion {
      case .triggered: members.add("type", "alert.triggered")
      case .acknowledged: members.add("type", "alert.acknowledged")
      case .resolved: members.add("type", "alert.resolved")
      case .digest: members.add("type", "alert.digest")
      case .test: members.add("type", "alert.test")
      }
      members.add("timestamp", notice.occasion.time ?? notice.triggeredAt)
      if case .digest(let heldBack) = notice.occasion {
        members.add("data", DigestData(notice: notice, heldBack: heldBack))
      } else {
        members.add("data", Alert(notice: notice))
      }
    }
  }

  struct Alert: JSONWritable {
    let notice: AlertNotice

    func write(to writer: inout JSONWriter) {
      writer.object { members in
        members.add("alert_id", notice.alertID)
        members.add("tenant_id", notice.tenant)
        members.add("policy_id", notice.policyID)
        members.add("policy_name", notice.policyName)
        members.add("severity", notice.severity.rawValue)
        members.add("title", notice.title)
        members.add("message", notice.message)
        members.add("summary", notice.summary)
        members.add("triggered_at", notice.triggeredAt)
        members.add("event_data", notice.event)
        switch notice.occasion {
        case .triggered, .digest, .test: break
        case .acknowledged(let sequel):
          members.add("acknowledged_at", sequel.time)
          members.add("acknowledged_by", sequel.actor)
        case .resolved(let sequel):
          members.add("resolved_at", sequel.time)
          members.add("resolved_by", sequel.actor)
        }
      }
    }
  }

  struct DigestData: JSONWritable {
    let notice: AlertNotice
    let heldBack: HeldBack

    func write(to writer: inout JSONWriter) {
      writer.object { members in
        members.add("alert_id", heldBack.firstDeliveryID == nil ? nil : notice.alertID)
        members.add("tenant_id", notice.tenant)
        members.add("policy_id", notice.policyID)
        members.add("policy_name", notice.policyName)
        members.add("severity", notice.severity.rawValue)
        members.add("title", notice.headline)
        members.add("message", heldBack.sentence)
        members.add("summary", heldBack.phrase)
        members.add("held_back", heldBack)
      }
    }
  }
}

extension ObjectReader {
  /// The key of a Standard Webhooks secret: `whsec_` (which may be left out) and 24 to 64 bytes in base64.
  fileprivate mutating func signingKey(_ key: String) -> [UInt8]? {
    guard let secret = secret(key), secret != Provider.mask else { return nil }
    let text = secret.hasPrefix("whsec_") ? String(secret.dropFirst(6)) : secret
    guard let bytes = Base64.decoded(text), (24...64).contains(bytes.count) else {
      fault(key, "must be \"whsec_\" followed by 24 to 64 random bytes in base64")
      return nil
    }
    return bytes
  }
}
