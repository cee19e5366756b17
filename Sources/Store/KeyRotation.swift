import Host
import Matching
import Postgres

/// What is to take the place of a key.
package struct KeyRotation: Sendable {
  /// For how long the old key goes on working, unless it ends before, in seconds.
  package let overlapSeconds: Int
  /// When the new key ends by itself; nil if it is to last as long as the old one was to.
  package let expiresAt: Timestamp?

  /// The longest overlap: 30 days.
  package static let longestOverlap = 30 * 86_400

  /// A rotation with an overlap.
  package init(overlapSeconds: Int, expiresAt: Timestamp? = nil) {
    self.overlapSeconds = overlapSeconds
    self.expiresAt = expiresAt
  }
}

/// What became of a rotation.
package enum KeyRotationOutcome: Sendable, Equatable {
  /// There is a new key, and the old one has an end.
  case rotated(new: Key, old: Key)
  /// Nothing was done: the key does not work any more, or has been replaced before.
  case ended(Key)
  /// There is no such key.
  case absent
}

extension Store {
  /// Has a key replaced by another of the same name, role and networks, which lasts from now on as long as the old one was to when
  /// it was made. A ``KeyError`` says why it cannot be.
  package func rotateKey(
    id: String, tenant: String, to key: String, _ rotation: KeyRotation, by creator: String? = nil
  ) throws -> KeyRotationOutcome {
    let newID = Identifier.make("key-")
    let keys: [Key]
    do {
      keys = try change(
        Self.rotateKey, .text(tenant), .text(id), .text(newID), .bytes(KeyDigest(of: key).bytes),
        .int(rotation.expiresAt?.microseconds), .int(rotation.overlapSeconds), .text(creator)
      ).map { Key(row: $0) }
    } catch {
      throw KeyError.telling(error)
    }
    if let new = keys.first(where: { $0.id == newID }), let old = keys.first(where: { $0.id != newID }) {
      return .rotated(new: new, old: old)
    }
    guard let key = try self.key(tenant: tenant, id: id) else { return .absent }
    if key.status == .active, key.successorID == nil { throw KeyError.tooMany }
    return .ended(key)
  }

  /// Of two rotations of one key at once, the second finds it replaced.
  private static let rotateKey = Statement(
    "rotate_key",
    """
    WITH old AS (
      SELECT *
      FROM api_keys
      WHERE tenant_id = $1
        AND key_id = $2
        AND revoked_at IS NULL
        AND successor_id IS NULL
        AND coalesce(expires_at > now(), true)
        AND \(TenantLimit.room(in: "api_keys", where: "\(Key.statusColumn) = 'active'", limit: TenantLimit.rotatedKeys))
      FOR UPDATE
    ),
    new AS (
      INSERT INTO api_keys (tenant_id, key_id, name, digest, role, expires_at, allowed_cidrs, created_by)
      SELECT
        tenant_id, $3, name, $4, role, coalesce(\(moment("$5")), now() + (expires_at - created_at)), allowed_cidrs, $7
      FROM old
      RETURNING *
    ),
    ending AS (
      UPDATE api_keys AS key
      SET
        successor_id = $3,
        expires_at = greatest(
          least(key.expires_at, now() + $6 * interval '1 second'), key.created_at + interval '1 microsecond')
      FROM old
      WHERE key.tenant_id = old.tenant_id
        AND key.key_id = old.key_id
      RETURNING key.*
    )
    SELECT \(Key.columns)
    FROM (SELECT * FROM new UNION ALL SELECT * FROM ending) AS key
    """)
}
