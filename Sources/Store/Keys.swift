import Host
import Matching
import Postgres

/// What a new key is to be.
package struct KeyDraft: Sendable {
  /// What people call it.
  package let name: String
  /// What it may be used for.
  package let role: Role
  /// When it ends by itself; nil if it does not.
  package let expiresAt: Timestamp?
  /// The networks that it may be used from, in CIDR form; none is from everywhere.
  package let allowedCIDRs: [String]

  /// A key that is good from everywhere, and for ever, unless it says otherwise.
  package init(name: String, role: Role, expiresAt: Timestamp? = nil, allowedCIDRs: [String] = []) {
    self.name = name
    self.role = role
    self.expiresAt = expiresAt
    self.allowedCIDRs = allowedCIDRs
  }
}

/// Why there is no such key.
package enum KeyError: Error, Equatable, CustomStringConvertible {
  /// The same key is there already, whether it still works or not.
  case taken
  /// It would end before it begins.
  case endsTooEarly
  /// The tenant has as many that work as it may.
  case tooMany

  package var description: String {
    switch self {
    case .taken: "this key is there already: choose another"
    case .endsTooEarly: "a key cannot end before now: choose a later moment"
    case .tooMany: "a tenant may have \(TenantLimit.keys) keys that work: revoke what is not needed"
    }
  }

  /// What an error of the database says about a key; itself where that is nothing.
  static func telling(_ error: PostgresError) -> any Error {
    switch error.refusal?.constraint {
    case "api_keys_digest_key": KeyError.taken
    case "api_keys_expires_at_check": KeyError.endsTooEarly
    default: error
    }
  }
}

extension Store {
  /// Stores a key, and its tenant if this is the tenant's first. A ``KeyError`` says why it is not.
  ///
  /// The caller makes the key with ``KeyForm/make()`` and shows it once. The creator is a key too, or nobody on the host.
  @discardableResult
  package func createKey(_ key: String, tenant: String, _ draft: KeyDraft, by creator: String? = nil) throws -> Key {
    let rows: Rows
    do {
      rows = try change(
        Self.createKey, .text(tenant), .text(Identifier.make("key-")), .text(draft.name),
        .bytes(KeyDigest(of: key).bytes), .text(draft.role.rawValue), .int(draft.expiresAt?.microseconds),
        .texts(draft.allowedCIDRs as [String]?), .text(creator))
    } catch {
      throw KeyError.telling(error)
    }
    guard let row = rows.first else { throw KeyError.tooMany }
    return Key(row: row)
  }

  private static let createKey = Statement(
    "create_key",
    """
    WITH tenant AS (
      INSERT INTO tenants (tenant_id)
      VALUES ($1)
      ON CONFLICT DO NOTHING
    )
    INSERT INTO api_keys (tenant_id, key_id, name, digest, role, expires_at, allowed_cidrs, created_by)
    SELECT $1, $2, $3, $4, $5, \(moment("$6")), $7, $8
    WHERE \(TenantLimit.room(in: "api_keys", where: "\(Key.statusColumn) = 'active'", limit: TenantLimit.keys))
    RETURNING \(Key.columns)
    """)

  /// The key that is stored of these characters, whatever its status; nil if there is none. It does not count as used.
  package func storedKey(_ key: String) throws(PostgresError) -> Key? {
    try read(Self.storedKey, .bytes(KeyDigest(of: key).bytes)).first.map { Key(row: $0) }
  }

  private static let storedKey = Statement(
    "stored_key",
    """
    SELECT \(Key.columns)
    FROM api_keys
    WHERE digest = $1
    """)

  /// One key of a tenant; nil if there is none of that id.
  package func key(tenant: String, id: String) throws(PostgresError) -> Key? {
    try read(Self.keyByID, .text(tenant), .text(id)).first.map { Key(row: $0) }
  }

  private static let keyByID = Statement(
    "key",
    """
    SELECT \(Key.columns)
    FROM api_keys
    WHERE tenant_id = $1 AND key_id = $2
    """)

  /// A page of a tenant's keys, oldest first; those of one status, or all.
  package func keys(tenant: String, status: KeyStatus?, page: Page) throws(PostgresError) -> Listing<Key> {
    let rows = try read(
      Self.keysByPage, .text(tenant), .text(status?.rawValue), .int(page.size), .int(page.offset))
    return Listing(rows: rows) { Key(row: $0, from: 1) }
  }

  private static let keysByPage = Statement(
    "keys_by_page",
    """
    WITH matching AS (
      SELECT *
      FROM api_keys
      WHERE tenant_id = $1
        AND ($2 IS NULL OR \(Key.statusColumn) = $2)
    )
    SELECT total, \(Key.columns)
    FROM (SELECT count(*) AS total FROM matching) AS whole
    LEFT JOIN (
      SELECT *
      FROM matching
      ORDER BY created_at, key_id
      LIMIT $3
      OFFSET $4
    ) AS page ON true
    ORDER BY created_at, key_id
    """)

  /// Every key of a tenant, or of all tenants, oldest first.
  package func keys(tenant: String?) throws(PostgresError) -> [Key] {
    try read(Self.keys, .text(tenant)).map { Key(row: $0) }
  }

  private static let keys = Statement(
    "keys",
    """
    SELECT \(Key.columns)
    FROM api_keys
    WHERE tenant_id = $1 OR $1 IS NULL
    ORDER BY tenant_id, created_at, key_id
    """)

  /// Makes a key unusable from the next request on. False if the tenant has no such key; revoking twice keeps the first time.
  package func revokeKey(id: String, tenant: String) throws(PostgresError) -> Bool {
    try !change(Self.revokeKey, .text(tenant), .text(id)).isEmpty
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
