import Host
import Postgres

/// A key of the API, as it may be shown: the key itself is kept nowhere.
package struct Key: Sendable, Equatable {
  /// The tenant that it belongs to.
  package let tenant: String
  /// Its id, which is no secret.
  package let id: String
  /// What people call it.
  package let name: String
  /// What it may be used for.
  package let role: Role
  /// When it was made, RFC 3339 in UTC.
  package let createdAt: String
  /// When it was revoked, RFC 3339 in UTC; nil while it works.
  package let revokedAt: String?

  fileprivate init(_ row: Row) {
    tenant = row.text(0)
    id = row.text(1)
    name = row.text(2)
    role = Role(row, column: 3)
    createdAt = row.text(4)
    revokedAt = row.textOrNil(5)
  }
}

extension Store {
  /// Who a key belongs to; nil for a key that is unknown or revoked.
  ///
  /// Only the SHA-256 of a key is stored, and PostgreSQL computes it. Keys are 256 random bits, so that a slow hash would add
  /// nothing.
  package func authenticate(key: String) throws(PostgresError) -> Caller? {
    let caller = try read(Self.authenticate, .bytes(Array(key.utf8))).first.map { row in
      Caller(tenant: row.text(0), keyID: row.text(1), role: Role(row, column: 2), policyEpoch: row.int(3))
    }
    recentCallers?.note(caller, key: key)
    return caller
  }

  /// Who a key belonged to when it was last checked, where that is remembered; nil where it is not.
  package func recentCaller(key: String) -> Caller? { recentCallers?.caller(key: key) }

  private static let authenticate = Statement(
    "authenticate",
    """
    SELECT tenant_id, key_id, role, policy_epoch
    FROM api_keys
    JOIN tenants USING (tenant_id)
    WHERE digest = sha256($1)
      AND revoked_at IS NULL
    """)

  /// Stores a key, and its tenant if this is the tenant's first. A key that is stored already is refused as a unique violation.
  ///
  /// The caller makes the key with ``KeyForm/make()`` and shows it once.
  @discardableResult
  package func createKey(
    _ key: String, tenant: String, name: String, role: Role
  ) throws(PostgresError) -> Key {
    let rows = try write(
      Self.createKey, .text(tenant), .text(Identifier.make("key-")), .text(name), .bytes(Array(key.utf8)),
      .text(role.rawValue))
    return Key(rows[0])
  }

  private static let createKey = Statement(
    "create_key",
    """
    WITH tenant AS (
      INSERT INTO tenants (tenant_id)
      VALUES ($1)
      ON CONFLICT DO NOTHING
    )
    INSERT INTO api_keys (tenant_id, key_id, name, digest, role)
    VALUES ($1, $2, $3, sha256($4), $5)
    RETURNING tenant_id, key_id, name, role, rfc3339(created_at), rfc3339(revoked_at)
    """)

  /// Every key of a tenant, or of all tenants, oldest first.
  package func keys(tenant: String?) throws(PostgresError) -> [Key] {
    try read(Self.keys, .text(tenant)).map(Key.init)
  }

  private static let keys = Statement(
    "keys",
    """
    SELECT tenant_id, key_id, name, role, rfc3339(created_at), rfc3339(revoked_at)
    FROM api_keys
    WHERE tenant_id = $1 OR $1 IS NULL
    ORDER BY tenant_id, created_at, key_id
    """)

  /// Makes a key unusable from the next request on. False if the tenant has no such key; revoking twice keeps the first time.
  package func revokeKey(id: String, tenant: String) throws(PostgresError) -> Bool {
    try !write(Self.revokeKey, .text(tenant), .text(id)).isEmpty
  }

  private static let revokeKey = Statement(
    "revoke_key",
    """
    UPDATE api_keys
    SET revoked_at = coalesce(revoked_at, now())
    WHERE tenant_id = $1
      AND key_id = $2
    RETURNING key_id
    """)
}

extension Role {
  /// The role in a column that the schema keeps to the roles there are.
  fileprivate init(_ row: Row, column: Int) {
    guard let role = Role(rawValue: row.text(column)) else {
      preconditionFailure("the schema allows a role that the code does not know")
    }
    self = role
  }
}
