/// A body of many events, and what must come of it.
struct Body {
  /// Its bytes.
  let bytes: [UInt8]
  /// Its media type.
  let type: String
  /// How many events it has.
  let events: Int
  /// How many of them a policy matches.
  let matching: Int

  /// How the events are put together.
  enum Framing: String {
    case lines = "application/x-ndjson"
    case array = "application/json"
  }

  /// A body of at most that many bytes, of events of 260 bytes each. One in `every` is watched by a policy, which is one of
  /// `policies`; the others are met by none of the tenant's 10,000, although they have event types that those ask for.
  init(megabytes: Int, framing: Framing = .lines, watched every: Int? = nil, policies: Int = 1) {
    var text: [UInt8] = []
    var (number, matching) = (0, 0)
    while text.count + 262 <= megabytes << 20 {
      text += number == 0 ? (framing == .array ? "[" : "").utf8 : (framing == .array ? "," : "\n").utf8
      if let every, number.isMultiple(of: every) {
        text += Self.event("watched-\(number / every % policies)", user: "guest-\(number / every % 7)").utf8
        matching += 1
      } else {
        text += Self.event("type-\(number % 100)", user: "guest-\(number % 1000)").utf8
      }
      number += 1
    }
    bytes = text + (framing == .array ? "]" : "\n").utf8
    type = framing.rawValue
    events = number
    self.matching = matching
  }

  private static func event(_ type: String, user: String) -> String {
    let start = #"{"event_type":"\#(type)","user":{"name":"\#(user)","id":42},"source_ip":"203.0.113.7","#
    let end = #""outcome":"failure","note":""#
    return start + end + String(repeating: "x", count: 258 - start.utf8.count - end.utf8.count) + "\"}"
  }
}
