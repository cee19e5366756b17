import JSON

/// An event that some policy matched. Its tree and its copy are made when they are first needed: for most of the events that a
/// throttled policy matches, nothing of them is.
struct MatchedEvent {
  private let text: UnsafeBufferPointer<UInt8>
  private var madeCopy: [UInt8]?
  private var madeDocument: JSONValue?

  /// An event by its bytes, which must stay as they are for as long as this is used.
  init(_ text: UnsafeBufferPointer<UInt8>) { self.text = text }

  /// The event's bytes.
  mutating func bytes() -> [UInt8] {
    if let madeCopy { return madeCopy }
    let copy = Array(text)
    madeCopy = copy
    return copy
  }

  /// The event as a value.
  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    if let madeDocument { return madeDocument }
    let document = try JSONValue(parsing: text)
    madeDocument = document
    return document
  }

  /// What the event calls itself: a string or a number at its top; anything else names no event. U+0000 becomes U+FFFD for
  /// PostgreSQL's sake.
  mutating func id() throws(JSONSyntaxError) -> String? {
    guard mayHaveID else { return nil }
    switch try document().object?["event_id"] {
    case .string(let id)? where !id.isEmpty: return id.replacingNUL
    case .number(let number)?: return number.text
    default: return nil
    }
  }

  /// False where the key is for sure not in the event: it stands there neither as it is nor with a character escaped.
  private var mayHaveID: Bool { Self.endOfKey.isPart(of: text) || text.firstOffset(of: UInt8(ascii: "\\")) != nil }

  /// The end of `"event_id"`, which begins with its rarest character.
  private static let endOfKey = Needle("_id\"", false)
}
