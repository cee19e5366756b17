import JSON
import Matching

@testable import Delivery

extension AlertNotice {
  /// An alert of a test, with what matters to the test.
  static func example(
    _ occasion: Occasion = .triggered, severity: Severity = .high, title: String = "Login failed",
    message: String = "root failed to log in",
    summary: String = "3 failures", policyName: String = "Logins", event: String = #"{"user":"root"}"#,
    deduplicationKey: String = "alert-1"
  ) -> AlertNotice {
    AlertNotice(
      occasion, tenant: "acme", alertID: "alert-1", policyID: "policy-1", policyName: policyName, severity: severity,
      title: title, message: message, summary: summary, triggeredAt: "2026-05-07T10:00:00.000000Z",
      event: JSONText(event.utf8), deduplicationKey: deduplicationKey)
  }
}

extension Attempt {
  static let example = Attempt(deliveryID: "0b2ed6a6-4f6e-4f39-9b6a-6f2c1a1f9a55", time: 1_778_148_000)
}

extension Provider {
  /// A provider of a test by its type and config.
  init(_ type: ProviderType, _ config: JSONValue) throws {
    try self.init(json: ["name": "Test", "provider_type": .string(type.rawValue), "config": config])
  }

  /// The request for an alert; nil if it is a mail.
  func request(
    for notice: AlertNotice = .example(), attempt: Attempt = .example, pagerDutyURL: String? = nil
  ) -> HTTPTransfer? {
    guard case .http(let request) = transfer(for: notice, attempt: attempt, pagerDutyURL: pagerDutyURL) else {
      return nil
    }
    return request
  }

  /// The mail for an alert; nil if it is a request.
  func mail(for notice: AlertNotice = .example(), attempt: Attempt = .example) -> MailTransfer? {
    guard case .mail(let mail) = transfer(for: notice, attempt: attempt) else { return nil }
    return mail
  }
}

extension HTTPTransfer {
  /// The body, read as JSON.
  func json() throws -> JSONValue { try JSONValue(parsing: body) }

  /// The values of a header, whose name counts in either case.
  subscript(header name: String) -> [String] {
    headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
  }
}

extension JSONValue {
  subscript(key: String) -> JSONValue? { object?[key] }
  subscript(index: Int) -> JSONValue? {
    guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
    return elements[index]
  }
}
