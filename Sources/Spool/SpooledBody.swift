import JSON

/// The body of one request that was taken in while the database was away, with all that its events need to have their effects
/// later.
package struct SpooledBody: Equatable, Sendable {
  /// The tenant that it belongs to.
  package let tenant: String
  /// Who sent it.
  package let sender: Sender
  /// When it came in, in microseconds since 1970, by the clock of the host that took it in.
  package let receivedAt: Int
  /// Whether it is NDJSON; else it is one JSON document.
  package let isLines: Bool
  /// How many events it has that can be read.
  package let events: Int
  /// The mark of an admission of it, where nobody knows whether that took effect; as a rule none.
  package let attempt: String?
  /// The body as it came.
  package let bytes: [UInt8]

  /// How whoever sent it was known.
  package enum Sender: Equatable, Sendable {
    /// By a key of this SHA-256, in hexadecimal digits.
    case key(digest: String)
    /// By a token that was checked, to this name.
    case token(bearer: String)
  }

  /// A body that is to be kept.
  package init(
    tenant: String, sender: Sender, receivedAt: Int, isLines: Bool, events: Int, attempt: String? = nil,
    bytes: [UInt8]
  ) {
    self.tenant = tenant
    self.sender = sender
    self.receivedAt = receivedAt
    self.isLines = isLines
    self.events = events
    self.attempt = attempt
    self.bytes = bytes
  }

  /// The payload of its record: one line of JSON about the body, then the body.
  var payload: [UInt8] {
    var writer = JSONWriter()
    writer.object { members in
      members.add("tenant", tenant)
      switch sender {
      case .key(let digest): members.add("key_sha256", digest)
      case .token(let bearer): members.add("bearer", bearer)
      }
      members.add("received_at_us", receivedAt)
      members.add("ndjson", isLines)
      if let attempt { members.add("attempt", attempt) }
    }
    return writer.bytes + [Self.lineFeed] + bytes
  }

  /// Reads a record's payload. Throws the faults of one that another version wrote, or no version.
  init(payload: [UInt8], events: Int) throws {
    let end = payload.firstIndex(of: Self.lineFeed) ?? payload.count
    var reader = try ObjectReader(JSONValue(parsing: payload[..<end]))
    tenant = reader.requiredString("tenant")
    sender =
      reader.string("bearer", length: 1...255).map { .token(bearer: $0) }
      ?? .key(digest: reader.requiredString("key_sha256"))
    reader.require("received_at_us")
    receivedAt = reader.integer("received_at_us", in: 0...Int.max) ?? 0
    reader.require("ndjson")
    isLines = reader.bool("ndjson") ?? false
    attempt = reader.string("attempt")
    try reader.finish()
    self.events = events
    bytes = Array(payload[end...].dropFirst())
  }

  private static let lineFeed = UInt8(ascii: "\n")
}
