import FastCGI
import Host

extension Call {
  /// Asks for something until it is there; nil where the seconds are over before, or the worker is wanted elsewhere.
  ///
  /// All the time the call occupies its worker, which therefore goes on to the next request as soon as one is queued.
  package func wait<Answer>(seconds: Double, for answer: () throws -> Answer?) throws -> Answer? {
    let end = Clock.monotonic + seconds
    var pause = 0.01
    while true {
      if let answer = try answer() { return answer }
      let rest = end - Clock.monotonic
      guard rest > 0, request.pause(min(pause, rest)) else { return try answer() }
      pause = min(pause * 1.5, 0.25)
    }
  }

  /// How many seconds the client would rather wait for a full answer than get a quick one; nil where it does not say.
  package var preferredWait: Int? { Preferences(request.prefer).wait }
}

/// What a client would like, RFC 7240. What cannot be understood is passed over: a preference is no demand.
package struct Preferences {
  /// The seconds of `wait=…`, section 4.3.
  package let wait: Int?

  /// Reads the value of a `Prefer` field; of equal names the first counts.
  package init(_ field: String?) {
    for preference in field?.split(separator: ",") ?? [] {
      let words = preference.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1).map(Self.word)
      guard words.first?.lowercased() == "wait" else { continue }
      wait = words.count == 2 ? Int(words[1]).flatMap { $0 < 0 ? nil : $0 } : nil
      return
    }
    wait = nil
  }

  /// A token without the white space around it, or what a quoted string quotes.
  private static func word(_ text: Substring) -> String {
    let word = text.split { $0 == " " || $0 == "\t" }.joined(separator: " ")
    return word.count > 1 && word.hasPrefix("\"") && word.hasSuffix("\"") ? String(word.dropFirst().dropLast()) : word
  }
}
