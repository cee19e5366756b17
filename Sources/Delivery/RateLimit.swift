/// What a receiver says about how much it will still take, in the header fields that are in use for it.
///
/// The structured fields `RateLimit` and `RateLimit-Policy` of the IETF's draft "RateLimit header fields for HTTP"
/// (draft-ietf-httpapi-ratelimit-headers), and the older `RateLimit-Remaining` and `RateLimit-Reset`, with `X-` before them or
/// without. A field that is malformed says nothing.
package struct RateLimit: Sendable, Equatable {
  /// The fields that are read, in lower case.
  package static let fieldNames = [
    "ratelimit", "ratelimit-policy", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-remaining",
    "x-ratelimit-reset",
  ]

  /// The fields that were sent, by their names in lower case.
  private let fields: [String: String]

  /// What the fields of an answer say; others than ``fieldNames`` are not looked at.
  package init(fields: [String: String] = [:]) { self.fields = fields }

  /// For how many seconds, from the moment the reply was received (Unix seconds), nothing more will be taken, at most until the
  /// end of the schedule; nil where something will be, or nobody knows.
  func pauseSeconds(receivedAt time: Int) -> Int? {
    let pauses = [
      pause("ratelimit-remaining", "ratelimit-reset", receivedAt: time),
      pause("x-ratelimit-remaining", "x-ratelimit-reset", receivedAt: time), structuredPause,
    ]
    guard let longest = pauses.compactMap(\.self).max(), longest > 0 else { return nil }
    return min(longest, RetrySchedule.lifetime)
  }

  private func pause(_ remaining: String, _ reset: String, receivedAt time: Int) -> Int? {
    guard fields[remaining].flatMap(Self.wholeSeconds) == 0, let reset = fields[reset].flatMap(Self.wholeSeconds) else {
      return nil
    }
    switch reset {
    case Self.firstMilliseconds...: return (reset - time * 1000 + 999) / 1000
    case Self.firstMoment...: return reset - time
    default: return reset
    }
  }

  /// From here on a number is plainly no time to wait (about 30 years) but a moment, in Unix seconds …
  private static let firstMoment = 1_000_000_000
  /// … and from here on in milliseconds.
  private static let firstMilliseconds = 1_000_000_000_000

  /// The longest wait of the policies of which nothing remains: `t`, or where that is not told the policy's window `w`.
  private var structuredPause: Int? {
    guard let limits = fields["ratelimit"].flatMap(StructuredList.init) else { return nil }
    let policies = fields["ratelimit-policy"].flatMap(StructuredList.init)?.items ?? []
    return limits.items.compactMap { limit in
      guard limit.parameters["r"] == 0 else { return nil }
      return limit.parameters["t"] ?? policies.first { $0.value == limit.value }?.parameters["w"]
    }.max()
  }

  /// A number without a sign, rounded up; nil if the text is none or has more than 15 digits before the point.
  private static func wholeSeconds(_ text: String) -> Int? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let areDigits = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }
    guard areDigits, parts[0].utf8.count <= 15, let whole = Int(parts[0]) else { return nil }
    return parts.count > 1 && parts[1].contains { $0 != "0" } ? whole + 1 : whole
  }
}

/// A List of Items with Parameters by RFC 9651, section 3.1, as far as rate limits use it: items are Strings or Tokens, and of
/// the parameters those are kept that are Integers.
struct StructuredList {
  /// One member of the list.
  struct Item {
    let value: String
    let parameters: [String: Int]
  }

  private(set) var items: [Item] = []
  private var rest: Substring.UTF8View

  /// Reads a field's value; nil if any of it is malformed.
  init?(_ text: String) {
    rest = text.utf8[...]
    skipSpace()
    repeat {
      guard let value = string() ?? token(), let parameters = parameters() else { return nil }
      items.append(Item(value: value, parameters: parameters))
      skipSpace()
      if rest.isEmpty { return }
      guard take(",") else { return nil }
      skipSpace()
    } while true
  }

  private mutating func skipSpace() { rest = rest.drop { $0 == 0x20 || $0 == 0x09 } }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest = rest.dropFirst()
    return true
  }

  private mutating func taken(while isPart: (UInt8) -> Bool) -> String {
    let part = rest.prefix(while: isPart)
    rest = rest.dropFirst(part.count)
    return String(part) ?? ""
  }

  /// Between quotes; `\` stands before a quote or itself.
  private mutating func string() -> String? {
    guard take("\"") else { return nil }
    var text = ""
    while true {
      text += taken { (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
      if take("\"") { return text }
      guard take("\\"), let escaped = rest.first, "\"\\".utf8.contains(escaped) else { return nil }
      text.unicodeScalars.append(Unicode.Scalar(escaped))
      rest = rest.dropFirst()
    }
  }

  private mutating func token() -> String? {
    guard let first = rest.first, first | 0x20 >= 0x61 && first | 0x20 <= 0x7A || first == UInt8(ascii: "*") else {
      return nil
    }
    return taken { $0.isLetterOrDigit || "!#$%&'*+-.^_`|~:/".utf8.contains($0) }
  }

  private mutating func parameters() -> [String: Int]? {
    var parameters: [String: Int] = [:]
    while take(";") {
      rest = rest.drop { $0 == 0x20 }
      guard let first = rest.first, (0x61...0x7A).contains(first) || first == UInt8(ascii: "*") else { return nil }
      let key = taken { (0x61...0x7A).contains($0) || $0.isDigit || "_-.*".utf8.contains($0) }
      guard take("=") else { continue }
      if let number = number() {
        guard Self.isNumber(number) else { return nil }
        parameters[key] = Int(number)
      } else if string() == nil, token() == nil, other() == nil {
        return nil
      }
    }
    return parameters
  }

  /// Whether a text is an Integer or a Decimal.
  private static func isNumber(_ text: String) -> Bool {
    let parts = (text.hasPrefix("-") ? text.dropFirst() : text[...])
      .split(separator: ".", omittingEmptySubsequences: false)
    let areDigits = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy(\.isDigit) }
    return areDigits && parts[0].utf8.count <= 15 && (parts.count == 1 || parts.count == 2 && parts[1].utf8.count <= 3)
  }

  /// What may be an Integer or a Decimal.
  private mutating func number() -> String? {
    guard let first = rest.first, first.isDigit || first == UInt8(ascii: "-") else { return nil }
    return taken { $0.isDigit || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  /// A Boolean, such as `?1`, or a Byte Sequence, such as `:cHI=:`.
  private mutating func other() -> String? {
    if take("?") { return take("0") || take("1") ? "" : nil }
    guard take(":") else { return nil }
    let bytes = taken { $0.isLetterOrDigit || "+/=".utf8.contains($0) }
    return take(":") ? bytes : nil
  }
}
