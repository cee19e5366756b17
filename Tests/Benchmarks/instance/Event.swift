/// The events that benchmarks of the whole service send.
package enum Event {
  /// 260 bytes, met by no policy of `Instance.makeTenant(_:policies:)`.
  package static let quiet = padded(
    #"{"event_type":"login","user":{"name":"alice","id":42},"source_ip":"203.0.113.7","outcome":"#)

  private static func padded(_ start: String) -> String {
    let end = #""failure","note":""#
    return start + end + String(repeating: "x", count: 258 - start.utf8.count - end.utf8.count) + "\"}"
  }
}
