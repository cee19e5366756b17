/// What is wrong with a chain of the audit log, by the numbers of its entries.
package enum AuditBreak: Equatable, Sendable, CustomStringConvertible {
  /// The entry is not what it was when it was written.
  case changed(Int)
  /// Entries are not there.
  case missing(ClosedRange<Int>)
  /// The entry was put there by hand.
  case added(Int)
  /// The entry stands at another place than its own.
  case moved(from: Int, to: Int)
  /// The entry is not the one that somebody has on record.
  case otherHead(Int)
  /// The chain lacks the entries up to this one, and does not say that they were archived.
  case removed(through: Int)

  package var description: String {
    switch self {
    case .changed(let seq): "entry \(seq) was changed"
    case .missing(let seqs) where seqs.count == 1: "entry \(seqs.lowerBound) is missing"
    case .missing(let seqs): "entries \(seqs.lowerBound) to \(seqs.upperBound) are missing"
    case .added(let seq): "entry \(seq) was added"
    case .moved(let from, let to): "entry \(from) was moved: it stands in the place of entry \(to)"
    case .otherHead(let seq): "entry \(seq) has another hash than the head that was given"
    case .removed(let seq): "the entries up to \(seq) are gone, and no entry says that they were archived"
    }
  }
}

/// A place in a chain and the hash of the entry there.
package struct AuditHead: Sendable, Equatable, CustomStringConvertible {
  /// The number of the entry.
  package let seq: Int
  /// Its hash, in hexadecimal digits.
  package let hash: String

  /// What is before the first entry.
  package static let beginning = AuditHead(seq: 0, hash: String(repeating: "0", count: 64))

  package var description: String { "\(seq):\(hash)" }

  /// A head.
  package init(seq: Int, hash: String) {
    self.seq = seq
    self.hash = hash
  }

  /// A head as it is printed, `SEQ:HASH`; nil for any other text.
  package init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, let seq = Int(parts[0]), seq >= 0, parts[1].utf8.count == 64,
      parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.init(seq: seq, hash: String(parts[1]))
  }
}

/// Goes along a chain, entry by entry in the order of their numbers, and finds where it is broken.
///
/// It reckons each hash anew. That an entry was moved shows in that its hash is right for another number; that one was replaced
/// together with its hash shows in that the next one follows another.
package struct AuditCheck {
  /// After so many breaks it is not asked any more where an entry was before.
  private static let searchedBreaks = 100

  /// What was found so far.
  package private(set) var breaks: [AuditBreak] = []
  /// The last entry that was taken, with the hash that it ought to have.
  package private(set) var last: AuditHead
  /// What the check began behind.
  package let start: AuditHead
  private let anchor: AuditHead?
  private var isLastSound = true
  private var archived: AuditHead?
  /// The hashes of sound entries, by their places, cut short; and those of entries that were moved.
  private var soundHashes: [Int: Int] = [:]
  private var unsound: [Int] = []
  private var moved: [(from: Int, to: Int, hash: Int)] = []

  /// A check that begins behind a head. An anchor is what somebody has on record of the chain, from there on.
  package init(after head: AuditHead, anchor: AuditHead? = nil) {
    (start, last, self.anchor) = (head, head, anchor)
    compareWithAnchor()
  }

  /// Takes the next entry.
  package mutating func take(_ link: AuditLink) {
    if link.seq <= last.seq { return breaks.append(.added(link.seq)) }
    if link.seq > last.seq + 1 {
      breaks.append(.missing(last.seq + 1...link.seq - 1))
      isLastSound = false
    }
    let hash = link.computedHash
    let isSound = hash == link.hash
    if !isSound {
      unsound.append(link.seq)
      noteUnsound(link)
    } else if isLastSound, link.previousHash != last.hash {
      // This one is as it was written, so it is the one before it that was another then.
      breaks.append(.changed(last == start ? link.seq : last.seq))
    }
    if isSound { soundHashes[link.seq] = link.hash.hashValue }
    last = AuditHead(seq: link.seq, hash: hash)
    isLastSound = isSound
    archived = link.archived ?? archived
    compareWithAnchor()
  }

  /// Ends the check of a chain that says how far it goes.
  package mutating func end(at head: AuditHead) {
    if head.seq > last.seq {
      breaks.append(.missing(last.seq + 1...head.seq))
    } else if head.seq < last.seq {
      tellAdded(behind: head.seq)
    } else if isLastSound, head.hash != last.hash {
      breaks.append(.changed(last.seq))
    }
    let end = max(last.seq, head.seq)
    if let anchor, anchor.seq > end { breaks.append(.missing(end + 1...anchor.seq)) }
    tellMoved()
  }

  /// Tells of what stands behind the end of the chain. Between and before such entries nothing is missing.
  private mutating func tellAdded(behind end: Int) {
    breaks.removeAll { if case .missing(let places) = $0 { places.lowerBound > end } else { false } }
    let added = (soundHashes.keys.filter { $0 > end } + unsound.filter { $0 > end }).sorted()
    for seq in added where !moved.contains(where: { $0.to == seq }) { breaks.append(.added(seq)) }
  }

  /// Tells whether the chain says that what is not here any more, up to a head, was archived.
  package mutating func expectArchived(through head: AuditHead) {
    if head.seq > 0, archived != head { breaks.append(.removed(through: head.seq)) }
  }

  private mutating func compareWithAnchor() {
    if let anchor, anchor.seq == last.seq, anchor.hash != last.hash { breaks.append(.otherHead(anchor.seq)) }
  }

  private mutating func noteUnsound(_ link: AuditLink) {
    guard breaks.count + moved.count < Self.searchedBreaks, let place = link.formerSeq() else {
      return breaks.append(.changed(link.seq))
    }
    moved.append((place, link.seq, link.hash.hashValue))
  }

  /// Where the place that an entry was moved from is taken, it is by the entry itself, of which the other is a copy, or by one
  /// that was put there.
  private mutating func tellMoved() {
    for (from, to, hash) in moved {
      let taker = soundHashes[from]
      breaks.append(taker == hash ? .added(to) : .moved(from: from, to: to))
      if let taker, taker != hash { breaks.append(.added(from)) }
    }
  }
}
