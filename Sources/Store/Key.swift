import JSON
import Postgres

/// Whether a key still works.
package enum KeyStatus: String, CaseIterable, Sendable {
  /// It does.
  case active
  /// Its time is over.
  case expired
  /// Somebody ended it.
  case revoked
}

/// A key of the API, as it may be shown: the key itself is kept nowhere. Moments are RFC 3339 in UTC.
package struct Key: Sendable, Equatable {
  /// The tenant that it belongs to.
  package let tenant: String
  /// Its id, which is no secret.
  package let id: String
  /// What people call it.
  package let name: String
  /// What it may be used for.
  package let role: Role
  /// Whether it still works.
  package let status: KeyStatus
  /// The networks that it may be used from, in CIDR form; none is from everywhere.
  package let allowedCIDRs: [String]
  /// The id of the key that made it; nil for one that was made on the host.
  package let createdBy: String?
  /// When it was made.
  package let createdAt: String
  /// When it ends by itself; nil if it does not.
  package let expiresAt: String?
  /// When it was last used, to some minutes; nil if it was not.
  package let lastUsedAt: String?
  /// When it was revoked; nil if it was not.
  package let revokedAt: String?
  /// The id of the key that it was replaced by; nil if it was not.
  package let successorID: String?

  /// The ``KeyStatus`` of a row.
  static let statusColumn =
    "CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN expires_at <= now() THEN 'expired' ELSE 'active' END"

  /// The columns of a key, in the order that ``init(row:from:)`` reads them.
  static let columns = """
    tenant_id,
    key_id,
    name,
    role,
    \(statusColumn),
    allowed_cidrs,
    created_by,
    rfc3339(created_at),
    rfc3339(expires_at),
    rfc3339(last_used_at),
    rfc3339(revoked_at),
    successor_id
    """

  init(row: Row, from column: Int = 0) {
    tenant = row.text(column)
    id = row.text(column + 1)
    name = row.text(column + 2)
    role = row.role(column + 3)
    guard let status = KeyStatus(rawValue: row.text(column + 4)) else {
      preconditionFailure("a statement has a status that the code does not know")
    }
    self.status = status
    allowedCIDRs = row.texts(column + 5)
    createdBy = row.textOrNil(column + 6)
    createdAt = row.text(column + 7)
    expiresAt = row.textOrNil(column + 8)
    lastUsedAt = row.textOrNil(column + 9)
    revokedAt = row.textOrNil(column + 10)
    successorID = row.textOrNil(column + 11)
  }

  /// Adds what clients see of it.
  package func add(to members: inout JSONWriter.Members) {
    members.add("key_id", id)
    members.add("name", name)
    members.add("role", role.rawValue)
    members.add("status", status.rawValue)
    members.add("allowed_cidrs", allowedCIDRs)
    members.add("expires_at", expiresAt)
    members.add("last_used_at", lastUsedAt)
    members.add("revoked_at", revokedAt)
    members.add("successor_id", successorID)
    members.add("tenant_id", tenant)
    members.add("created_by", createdBy)
    members.add("created_at", createdAt)
  }
}

extension Row {
  /// The role in a column that the schema keeps to the roles there are.
  func role(_ column: Int) -> Role {
    guard let role = Role(rawValue: text(column)) else {
      preconditionFailure("the schema allows a role that the code does not know")
    }
    return role
  }
}
