import Delivery
import JSON

/// What an entry of the audit log is to its chain.
package struct AuditLink: Sendable {
  /// The tenant whose chain it belongs to.
  package let tenant: String
  /// Its number.
  package let seq: Int
  /// The hash of the one before it.
  let previousHash: String
  /// The hash that it was written with.
  package let hash: String
  /// How far the chain is in archives, if the entry says so.
  let archived: AuditHead?
  /// What the hash covers.
  private let canonical: [UInt8]

  /// The link of an entry.
  package init(_ entry: AuditEntry) throws(JSONSyntaxError) {
    tenant = entry.tenant
    seq = entry.seq
    previousHash = entry.previousHash
    hash = entry.hash
    canonical = entry.canonical
    let isArchival = entry.action == "archive" && entry.kind == "audit-log"
    archived = isArchival ? try entry.after.flatMap(Self.archived) : nil
  }

  /// The link of a line of an archive, which is the canonical form with the hash as one more member at its end; nil for any
  /// other line.
  package init?(line: [UInt8]) throws(JSONSyntaxError) {
    let tail = line.suffix(#","hash":""}"#.utf8.count + 64)
    canonical = line.dropLast(tail.count) + [UInt8(ascii: "}")]
    guard let entry = try JSONValue(parsing: line).object, let tenant = entry["tenant_id"]?.string,
      let seq = entry["seq"].flatMap(Self.int), let previousHash = entry["previous_hash"]?.string,
      let hash = entry["hash"]?.string, tail.elementsEqual(#","hash":"\#(hash)"}"#.utf8)
    else { return nil }
    self.tenant = tenant
    self.seq = seq
    self.previousHash = previousHash
    self.hash = hash
    archived = nil
  }

  /// What it says that it follows.
  package var predecessor: AuditHead { AuditHead(seq: seq - 1, hash: previousHash) }

  /// The hash that it ought to have.
  var computedHash: String { Self.hash(of: canonical) }

  /// The number that the hash is right for, if that is another one near its own: the entry was moved from there.
  func formerSeq() -> Int? {
    let mark = Array(#","seq":"#.utf8)
    guard let start = canonical.firstRange(of: mark)?.upperBound,
      let end = canonical[start...].firstIndex(of: UInt8(ascii: ","))
    else { return nil }
    let reach = min(Self.reach, Self.reachInBytes / canonical.count)
    for distance in 1...max(1, reach) {
      for place in [seq &- distance, seq &+ distance] where place > 0 {
        let there = canonical[..<start] + Array(String(place).utf8) + canonical[end...]
        if Self.hash(of: there) == hash { return place }
      }
    }
    return nil
  }

  /// How far from its place a moved entry is looked for, and how many bytes of it to hash for that, on either side.
  private static let reach = 10_000
  private static let reachInBytes = 32 << 20

  private static func archived(in document: JSONText) throws(JSONSyntaxError) -> AuditHead? {
    guard let document = try JSONValue(parsing: document.bytes).object, let seq = document["through_seq"].flatMap(int),
      let hash = document["through_hash"]?.string
    else { return nil }
    return AuditHead(seq: seq, hash: hash)
  }

  private static func hash(of canonical: some Sequence<UInt8>) -> String {
    Hexadecimal.encoded(Digest.sha256(Array(canonical)))
  }

  private static func int(_ value: JSONValue) -> Int? {
    guard case .number(let number) = value else { return nil }
    return Int(number.text)
  }
}
