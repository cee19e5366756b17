import JSON
import TestSupport

/// Receivers over HTTP.
struct WebMisbehaviours {
  let receiver: HTTPReceiver

  private func answering(
    _ name: String, _ answer: HTTPReceiver.Answer, isSecure: Bool = true, config: JSONObject = [:], _ outcome: String,
    then next: Misbehaviour.Next = .never
  ) throws -> Misbehaviour {
    let path = "/" + name.split(separator: " ").joined(separator: "-") + "?key=\(Misbehaviour.secret)"
    try receiver.answer(path, with: answer)
    let host = isSecure ? receiver.url : receiver.plainURL
    return .webhook(name, url: host + path, config: config, outcome, then: next)
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  /// Every class of status, with words.
  func statuses() throws -> [Misbehaviour] {
    func row(_ status: Int, _ state: String, then next: Misbehaviour.Next = .never) throws -> Misbehaviour {
      let words = Self.text("no\u{7}body\r\nlikes \(Misbehaviour.secret)")
      let hasBody = ![204, 304].contains(status)
      let reason = state.hasPrefix("sent") ? "-" : "answered \(status)" + (hasBody ? ": no body likes ********" : "")
      let location = [("Location", receiver.plainURL + "/elsewhere")]
      return try answering(
        "status \(status)", .init(status, headers: status / 100 == 3 ? location : [], body: hasBody ? words : []),
        "\(state) \(status): \(reason)", then: next)
    }
    return try [200, 201, 202, 204, 206, 299].map { try row($0, "sent sent") }
      + [408, 425, 429, 500, 501, 502, 503, 504, 599].map { try row($0, "pending retry", then: .soon) }
      + [300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 410, 413, 418, 422, 451, 600, 999].map {
        try row($0, "failed rejected")
      }
  }

  /// Answers that say when to come back, and one that says where else to go.
  func requests() throws -> [Misbehaviour] {
    func waiting(_ name: String, _ field: String, then next: Misbehaviour.Next) throws -> Misbehaviour {
      try answering(name, .init(503, headers: [("Retry-After", field)]), "pending retry 503: answered 503", then: next)
    }
    return [
      try waiting("wait two minutes", "120", then: .after(120)),
      try waiting("wait five hours", "18000", then: .after(18_000)),
      try waiting("wait not so long", "1", then: .soon),
      try waiting("wait until the past", "Wed, 21 Oct 2015 07:28:00 GMT", then: .soon),
      try waiting("wait for what", "a while", then: .soon),
      try answering(
        "redirect to a private address",
        .init(302, headers: [("Location", "http://169.254.169.254/latest/meta-data")]),
        "failed rejected 302: answered 302"),
      try answering(
        "no retries wanted", .init(500), config: ["retry_count": 0], "dead retry 500: answered 500"),
    ]
  }

  /// Answers of a Slack that is none.
  func slack() throws -> [Misbehaviour] {
    try [
      ("says no with a yes", 200, "pending retry 200: answered 200: no_team ********, which is no confirmation"),
      ("takes no more", 404, "failed rejected 404: answered 404: no_team ********"),
    ].map { name, status, outcome in
      let path = "/services/\(Misbehaviour.secret)/\(status)"
      let url = receiver.url + path
      try receiver.answer(path, with: .init(status, body: Self.text("no_team \(url)")))
      return Misbehaviour(
        name: name, type: "slack", config: ["webhook_url": .string(url)], outcome: outcome,
        next: outcome.hasPrefix("pending") ? .soon : .never)
    }
  }

  /// Answers that come slowly or never.
  func slowness() throws -> [Misbehaviour] {
    let late = "pending retry -: no answer in time: Operation timed out after N milliseconds with"
    return [
      try answering("slow but whole", .init(body: Self.text("ok"), ending: .trickle), "sent sent 200: -"),
      try answering("late but in time", .init(afterSeconds: 1), "sent sent 200: -"),
      try answering("late", .init(afterSeconds: 30), "\(late) N bytes received", then: .soon),
      try answering("never", .init(ending: .hang), "\(late) N bytes received", then: .soon),
      try answering(
        "slower than its time", .init(body: [UInt8](repeating: 0x78, count: 2000), ending: .trickle),
        "\(late) N out of N bytes received, after a status of 200", then: .soon),
      try answering(
        "body stops", .init(body: [1, 2, 3], ending: .stall),
        "\(late) N out of N bytes received, after a status of 200", then: .soon),
    ]
  }

  private static let broke = "pending retry -: the connection broke:"
  private static let ended = broke + " it ended without a whole answer"

  /// Connections that end too early.
  func hangUps() throws -> [Misbehaviour] {
    [
      try answering("hangs up at once", .init(ending: .drop), Self.ended, then: .soon),
      try answering("resets", .init(ending: .reset), isSecure: false, Self.ended, then: .soon),
      try sending("hangs up in the status", "HTTP/1.1 2", Self.ended),
      try sending("hangs up in the header", "HTTP/1.1 200 OK\r\nContent-", Self.ended + ", after a status of 200"),
      try sending(
        "hangs up behind an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", Self.ended + ", after a status of 100"),
      try answering(
        "hangs up in the body", .init(500, body: [1, 2, 3], ending: .cut), Self.ended + ", after a status of 500",
        then: .soon),
    ]
  }

  /// What is no answer, or too much of one.
  func nonsense() throws -> [Misbehaviour] {
    let none = Self.broke + " what came is no answer of HTTP"
    let isTooLong = Self.broke + " the answer's header is too long, after a status of 200"
    return [
      try sending("speaks another protocol", "220 mail.example.com \(Misbehaviour.secret)\r\n", none),
      try sending("sends zeros", String(repeating: "\0", count: 5000), none),
      try sending(
        "switches protocols", "HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nhello",
        "pending retry 101: answered 101: hello"),
      try sending(
        "cannot count", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\nok", "sent sent 200: -"),
      try sending(
        "cannot make chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        Self.ended + ", after a status of 200"),
      try sending(
        "says more than asked", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n",
        "sent sent 200: -"),
      try answering("endless header", .init(ending: .fields), isTooLong, then: .soon),
      try sending(
        "one huge field", "HTTP/1.1 200 OK\r\nX: " + String(repeating: "x", count: 300_000) + "\r\n\r\n", isTooLong),
      try answering(
        "huge body", .init(400, body: [UInt8](repeating: 0x78, count: 3_000_000)),
        "failed rejected 400: answered 400: " + String(repeating: "x", count: 300)),
      try answering("endless body", .init(200, ending: .flood), "sent sent 200: -"),
    ]
  }

  /// A receiver that sends these bytes and closes the connection.
  private func sending(_ name: String, _ bytes: String, _ outcome: String) throws -> Misbehaviour {
    try answering(
      name, .init(body: Self.text(bytes), ending: .bytes), isSecure: false, outcome,
      then: outcome.hasPrefix("pending") ? .soon : .never)
  }
}
