import JSON
import TestSupport

/// One way in which a receiver misbehaves, and what the ledger has to tell of a delivery to it.
struct Misbehaviour: Sendable {
  /// What stands between the attempt and the next one.
  enum Next: Sendable {
    /// There is no next one.
    case never
    /// The first step of the schedule, 5 s give or take a fifth.
    case soon
    /// What the receiver asked for, up to a tenth longer, in seconds.
    case after(Double)
    /// The attempt has not ended: the receiver is waited for.
    case open

    var seconds: ClosedRange<Double>? {
      switch self {
      case .never, .open: nil
      case .soon: 4...6
      case .after(let seconds): seconds...seconds * 1.1
      }
    }
  }

  /// A secret that each provider has and many a receiver gives away.
  static let secret = "s3cret-t0ken"

  let name: String
  let type: String
  let config: JSONObject
  /// The delivery's state, the attempt's verdict, its status, and its reason.
  let outcome: String
  let next: Next

  /// The tenant that has this receiver.
  var tenant: String { name.map { $0.isLetter || $0.isNumber ? String($0) : "-" }.joined() }

  /// A webhook.
  static func webhook(
    _ name: String, url: String, config: JSONObject = [:], _ outcome: String, then next: Next = .never
  ) -> Misbehaviour {
    let common: JSONObject = ["url": .string(url), "timeout": 3, "headers": ["X-Token": .string(secret)]]
    return Misbehaviour(
      name: name, type: "webhook", config: common.overlaid(with: config), outcome: outcome, next: next)
  }

  /// A mail server on this machine, or what is in its place.
  static func mail(
    _ name: String, port: Int, config: JSONObject = ["use_tls": false], _ outcome: String, then next: Next = .never
  ) -> Misbehaviour {
    let common: JSONObject = [
      "smtp_host": "localhost", "smtp_port": .number(JSONNumber(port)), "from_email": "tocsin@example.com",
      "to_emails": ["one@example.com", "two@example.com", "three@example.com"],
    ]
    return Misbehaviour(
      name: name, type: "email", config: common.overlaid(with: config), outcome: outcome, next: next)
  }
}
