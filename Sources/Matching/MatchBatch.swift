/// The matches of one request, or of several, put together for one admission.
///
/// Events that one policy matched with the same throttle key are folded: of a policy that may raise n alerts for a key, the first
/// n matches are kept with all that an alert needs, and the others are counted. An event with an event id has a decision of its
/// own on record, so it is never folded; a repeat of its id for the same policy only says again what came of the first.
package struct MatchBatch: Sendable {
  /// What an alert counts for at the least in ``size``, in bytes.
  package static let leastSize = 1024

  /// What is to be decided, in the order of the events.
  package private(set) var matches: [Match] = []
  /// The matches that have an answer of their own, as places in ``matches``, in the order of the events. A place that comes again
  /// stands for a repeat of an event id.
  package private(set) var answered: [Int] = []
  /// The bytes of the alerts that may come of it: their words and their events, each of them with ``leastSize`` at least.
  package private(set) var size = 0
  /// Whether a policy of them asks for a digest of what is held back.
  package var hasDigest = false
  /// The most that ``size`` is meant to be.
  private let sizeLimit: Int
  private var folds: [Bytes: Fold] = [:]
  private var firstOfEventID: [Bytes: Int] = [:]

  /// The matches that fold.
  private struct Fold {
    /// How many of them may become alerts.
    var drafts = 0
    /// The place of the one that counts the others.
    var rest: Int?
  }

  /// Told apart by its bytes: Swift takes canonically equivalent texts for one, PostgreSQL does not.
  private struct Bytes: Hashable {
    let bytes: [UInt8]

    init(_ texts: [String]) {
      // No text has the byte 0xFF, so none runs into the next.
      bytes = texts.reduce(into: []) { bytes, text in
        bytes += text.utf8
        bytes.append(0xFF)
      }
    }

    func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
  }

  /// A batch without matches, for alerts of so many bytes.
  package init(sizeLimit: Int = .max) { self.sizeLimit = sizeLimit }

  /// Whether it is larger than it is meant to be.
  package var isOverfull: Bool { size > sizeLimit }

  /// Adds an event that a policy matched. `limit` is the most alerts that the policy may raise for the throttle key at once, nil
  /// if there is no such limit. The alert is drafted only if it may come to be raised.
  package mutating func add<Failure>(
    _ key: MatchKey, limit: Int?, draft: () throws(Failure) -> AlertDraft
  ) throws(Failure) {
    if let eventID = key.eventID {
      let event = Bytes([key.policyID, eventID])
      if let first = firstOfEventID[event] { return answered.append(first) }
      let alert = try draft()
      firstOfEventID[event] = matches.count
      append(key, limit, alert)
    } else if let limit {
      try fold(key, limit, draft)
    } else {
      append(key, limit, try draft())
    }
  }

  /// Adds all of another batch and answers where in ``answered`` its answers are. What folds in either stays as it is: what matters
  /// is that no alert is missing which the policy may raise, and more drafts than that do no harm.
  package mutating func add(_ other: MatchBatch) -> Range<Int> {
    let start = answered.count
    var places: [Int] = []
    for match in other.matches {
      let event = match.key.eventID.map { Bytes([match.key.policyID, $0]) }
      if let first = event.flatMap({ firstOfEventID[$0] }) {
        places.append(first)
      } else {
        places.append(matches.count)
        if let event { firstOfEventID[event] = matches.count }
        append(match)
      }
    }
    answered += other.answered.map { places[$0] }
    if other.hasDigest { hasDigest = true }
    return start..<answered.count
  }

  private mutating func fold<Failure>(
    _ key: MatchKey, _ limit: Int, _ draft: () throws(Failure) -> AlertDraft
  ) throws(Failure) {
    let common = Bytes([key.policyID, key.throttleKey] + key.suppressionIDs)
    var fold = folds[common, default: Fold()]
    if fold.drafts < limit {
      fold.drafts += 1
      append(key, limit, try draft())
    } else if let rest = fold.rest {
      return matches[rest].events += 1
    } else {
      fold.rest = matches.count
      append(key, limit, nil)
    }
    folds[common] = fold
  }

  private mutating func append(_ key: MatchKey, _ limit: Int?, _ alert: AlertDraft?) {
    if alert != nil { answered.append(matches.count) }
    append(Match(key: key, isLimited: limit != nil, alert: alert))
  }

  private mutating func append(_ match: Match) {
    // An event that several policies match is sent once.
    let event = match.alert.map { $0.event == matches.last?.alert?.event ? 0 : $0.event.count } ?? 0
    let words = match.alert.map { $0.title.utf8.count + $0.message.utf8.count + $0.summary.utf8.count } ?? 0
    size += max(event + words, Self.leastSize)
    matches.append(match)
  }
}
