import JSON

/// Tells how long the values are that stand in a window one behind the other, as the elements of an array do. The ends of their
/// strings are found once for all of them, until the window is extended.
struct ElementScanner: ~Copyable {
  private var ends = StringEnds()
  private var tokens: EventTokens
  private var nextEnd: UnsafePointer<UInt32>
  private var extensionCount: Int

  init(_ window: borrowing Window) {
    tokens = EventTokens(start: window.place, count: window.bytes.count)
    nextEnd = ends.find(in: window.bytes)
    extensionCount = window.extensionCount
  }

  /// How many bytes the value has that the window begins with, whatever is behind it; an error's offset is counted from there.
  ///
  /// Since the last call the window must have passed that value, and then white space and punctuation at most; or it must have
  /// been extended, as it has to be before a value is tried again that could not be read.
  mutating func count(in window: borrowing Window) throws(JSONSyntaxError) -> Int {
    if extensionCount != window.extensionCount {
      tokens = EventTokens(start: window.place, count: window.bytes.count)
      nextEnd = ends.find(in: window.bytes)
      extensionCount = window.extensionCount
    }
    do throws(JSONSyntaxError) {
      let end = try tokens.skipValue(EventTokens.Cursor(place: window.place, nextEnd: nextEnd), depth: 0)
      nextEnd = end.nextEnd
      return end.place - window.place
    } catch {
      throw JSONSyntaxError(offset: error.offset - (window.place - tokens.start), reason: error.reason)
    }
  }
}
