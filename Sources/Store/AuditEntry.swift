import Delivery
import JSON
import Postgres

/// One row of the audit log.
package struct AuditEntry: Sendable, Equatable {
  /// The tenant; empty for calls without a known key.
  package private(set) var tenant: String
  /// Its place in the tenant's chain, from 1.
  package let seq: Int
  /// When, RFC 3339.
  package let at: String
  /// What acted, see `Actor.Kind`; `database` is somebody who wrote SQL by hand.
  package private(set) var actorType: String
  /// Who acted.
  package private(set) var actor: String?
  /// Where it came from.
  package private(set) var address: String?
  /// What was done: `create`, `update`, `delete`, `rotate`, `revoke`, `acknowledge`, `resolve`, `retry`, `test`, `refuse` or `archive`.
  package private(set) var action: String
  /// To what kind of thing: `policy`, `rule`, `provider`, `suppression`, `key`, `alert`, `delivery`, `call` or `audit-log`.
  package private(set) var kind: String
  /// To which.
  package private(set) var id: String?
  /// What it was before.
  package private(set) var before: JSONText?
  /// What it is since.
  package private(set) var after: JSONText?
  /// The hash of the entry before it, in hexadecimal digits.
  package let previousHash: String
  /// Its hash as it is stored, in hexadecimal digits.
  package let hash: String

  /// The columns of an entry, in the order that ``init(row:from:)`` reads them.
  static let columns = """
    tenant_id, seq, rfc3339(at), actor_type, actor, address, action, kind, id, before, after, previous_hash, hash
    """

  /// The entry of a row whose ``columns`` begin at a column.
  init(row: Row, from column: Int = 0) {
    tenant = row.text(column)
    seq = row.int(column + 1)
    at = row.text(column + 2)
    actorType = row.text(column + 3)
    actor = row.textOrNil(column + 4)
    address = row.textOrNil(column + 5)
    action = row.text(column + 6)
    kind = row.text(column + 7)
    id = row.textOrNil(column + 8)
    before = row.bytesOrNil(column + 9).map { JSONText($0) }
    after = row.bytesOrNil(column + 10).map { JSONText($0) }
    previousHash = Hexadecimal.encoded(row.bytes(column + 11))
    hash = Hexadecimal.encoded(row.bytes(column + 12))
  }

  /// What the hash covers: the entry as it is written, without the hash.
  var canonical: [UInt8] {
    var writer = JSONWriter()
    writer.object(addMembers)
    return writer.bytes
  }

  /// The entry as one line of an archive: the canonical form with the hash as one more member at its end.
  package var line: [UInt8] { json }

  /// The same with every text cut to so many characters, for who cannot take it whole: what is cut ends in `…`, and a document that
  /// is cut is the text of its beginning. The numbers and hashes are whole, but the hash is not that of what is here.
  package func cut(to limit: Int) -> AuditEntry {
    var entry = self
    entry.tenant = tenant.cut(to: limit)
    entry.actorType = actorType.cut(to: limit)
    entry.actor = actor?.cut(to: limit)
    entry.address = address?.cut(to: limit)
    entry.action = action.cut(to: limit)
    entry.kind = kind.cut(to: limit)
    entry.id = id?.cut(to: limit)
    entry.before = before.map { Self.cut($0, to: limit) }
    entry.after = after.map { Self.cut($0, to: limit) }
    return entry
  }

  private static func cut(_ document: JSONText, to limit: Int) -> JSONText {
    if document.bytes.count <= limit { return document }
    return JSONText(String(decoding: document.bytes, as: UTF8.self).cut(to: limit).json)
  }

  private func addMembers(to members: inout JSONWriter.Members) {
    members.add("tenant_id", tenant)
    members.add("seq", seq)
    members.add("at", at)
    members.add("actor_type", actorType)
    members.add("actor", actor)
    members.add("address", address)
    members.add("action", action)
    members.add("kind", kind)
    members.add("id", id)
    members.add("before", before)
    members.add("after", after)
    members.add("previous_hash", previousHash)
  }
}

extension AuditEntry: JSONWritable {
  package func write(to writer: inout JSONWriter) {
    writer.object { members in
      addMembers(to: &members)
      members.add("hash", hash)
    }
  }
}
