import Foundation
import JSON
import TestSupport

/// What the API tells of one alert's deliveries: to a receiver that misbehaves, and to one that does not.
struct Account: Sendable {
  /// As in ``Misbehaviour/outcome``; what differs from run to run is `N`.
  private(set) var outcome = ""
  /// Seconds from the end of the first attempt to the next one; nil if there is none.
  private(set) var wait: Double?
  /// How much later than it was due the next attempt may have begun.
  private(set) var slack = 0.0
  /// Seconds from the alert to its arrival at the receiver that does not misbehave.
  private(set) var healthyLatency = Double.infinity
  /// The answers word for word.
  private(set) var text = ""

  private let instance: Instance
  private let key: String

  /// Makes a tenant with both receivers, sends an event, and waits until the ledger has its first attempts.
  init(of misbehaviour: Misbehaviour, beside healthy: String, on instance: Instance) async throws {
    self.instance = instance
    key = try await instance.makeKey(tenant: misbehaviour.tenant)
    try await create(provider: "rude", misbehaviour.type, misbehaviour.config)
    try await create(provider: "healthy", "webhook", ["url": .string(healthy)])
    _ = try await call(
      "POST", "policies",
      [
        "policy_id": "all", "name": "All", "rules": [["field": "user", "operator": "exists", "value": true]],
        "message_template": "m", "summary_template": "s", "providers": ["rude", "healthy"],
      ])
    let answer = try await call("POST", "process-event", ["user": "root"])
    guard case .array(let alerts) = answer["triggered_alerts"], let alert = alerts.first?.object?["alert_id"]?.string
    else { throw Overdue(description: "no alert: \(answer)") }
    try await readHealthy(of: alert)
    try await readRude(of: alert, isOpen: misbehaviour.next.isOpen)
  }

  private mutating func readHealthy(of alert: String) async throws {
    let delivery = try await delivery(of: alert, to: "healthy") { $0["state"] == "sent" }
    let arrival = delivery.attempts.first.flatMap { $0["ended_at"]?.moment }
    if let arrival, let written = delivery.entry["created_at"]?.moment { healthyLatency = arrival - written }
  }

  private mutating func readRude(of alert: String, isOpen: Bool) async throws {
    let delivery = try await delivery(of: alert, to: "rude") { isOpen || $0["attempts"] != [] }
    text = delivery.text
    let state = delivery.entry["state"]?.string ?? ""
    guard let first = delivery.attempts.first, let end = first["ended_at"]?.moment else { return outcome = state }
    let reason = (first["reason"]?.string ?? "-")
      .replacing(#/\d+( (?:ms|milliseconds|bytes|out of)\b)/#) { "N\($0.1)" }
      .replacing(#/OpenSSL\/\S+ error:\w+:SSL routines::/#, with: "")
    let status = first["status"].flatMap { $0 == .null ? nil : String(decoding: $0.json, as: UTF8.self) } ?? "-"
    outcome = "\(state) \(first["verdict"]?.string ?? "") \(status): \(reason)"
    if delivery.attempts.count > 1 {
      (wait, slack) = (delivery.attempts[1]["started_at"]?.moment.map { $0 - end }, 30)
    } else if let next = delivery.entry["next_attempt_at"]?.moment {
      wait = next - end
    }
  }

  private struct Delivery {
    let entry: JSONObject
    let attempts: [JSONObject]
    let text: String
  }

  /// A delivery, when it is as it should be.
  private func delivery(
    of alert: String, to provider: String, when isReady: (JSONObject) -> Bool
  ) async throws -> Delivery {
    let list = try await call("GET", "deliveries?alert_id=\(alert)&provider_id=\(provider)")
    guard case .array(let entries) = list["deliveries"], let id = entries.first?.object?["delivery_id"]?.string else {
      throw Overdue(description: "no delivery: \(list)")
    }
    for _ in 0..<200 {
      let entry = try await call("GET", "deliveries/\(id)")
      if isReady(entry), case .array(let attempts) = entry["attempts"] {
        let text = String(decoding: JSONValue.object(entry).json, as: UTF8.self)
        return Delivery(entry: entry, attempts: attempts.compactMap(\.object), text: text)
      }
      try await Task.sleep(for: .milliseconds(400))
    }
    throw Overdue(description: "no attempt at \(provider)")
  }

  private func create(provider: String, _ type: String, _ config: JSONObject) async throws {
    _ = try await call(
      "POST", "providers",
      [
        "provider_id": .string(provider), "name": .string(provider), "provider_type": .string(type),
        "config": .object(config),
      ])
  }

  private func call(_ method: String, _ path: String, _ document: JSONValue? = nil) async throws -> JSONObject {
    let answer = try await instance.send(
      "/api/v1/alerts/" + path, method: method, key: key, body: document.map { Data($0.json) })
    guard (200...201).contains(answer.status), let object = try JSONValue(parsing: answer.body).object else {
      throw Overdue(description: "\(method) \(path): \(answer.text)")
    }
    return object
  }
}

extension Misbehaviour.Next {
  fileprivate var isOpen: Bool { if case .open = self { true } else { false } }
}

extension JSONValue {
  /// The moment that a text in RFC 3339 names, in seconds since 1970.
  fileprivate var moment: Double? {
    string.flatMap { text in
      try? Date(text, strategy: Date.ISO8601FormatStyle(includingFractionalSeconds: true)).timeIntervalSince1970
    }
  }
}
