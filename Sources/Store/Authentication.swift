import Host
import Matching
import Postgres

/// What somebody who sends a key is let in by, or why not.
package enum Authentication: Sendable, Equatable {
  /// The key works, and it is the caller's.
  case granted(Caller)
  /// The key was never made, or was revoked.
  case unknown
  /// The key's time is over.
  case expired
  /// The key may be used, but not from this address.
  case elsewhere
}

/// A key that was not revoked when it was looked up.
package struct KnownKey: Sendable {
  /// Whose it is.
  let caller: Caller
  /// For how much longer it worked then, in seconds; nil for ever.
  let secondsLeft: Double?
  /// The networks that it may be used from, in CIDR form; none is from everywhere.
  let allowedCIDRs: [String]

  /// A key of a caller.
  package init(_ caller: Caller, secondsLeft: Double? = nil, allowedCIDRs: [String] = []) {
    self.caller = caller
    self.secondsLeft = secondsLeft
    self.allowedCIDRs = allowedCIDRs
  }

  /// Whether a row of `api_keys` is a key that works, from the networks that it is for.
  static let works = "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())"

  /// What the key is good for from an address, so many seconds after it was looked up.
  func authentication(from address: String?, secondsLater: Double = 0) -> Authentication {
    if let secondsLeft, secondsLeft <= secondsLater { return .expired }
    return allowedCIDRs.isEmpty || isAllowed(address) ? .granted(caller) : .elsewhere
  }

  /// What is no address, such as that of a unix socket, is in no network.
  private func isAllowed(_ address: String?) -> Bool {
    guard let address = address.flatMap({ Address($0.utf8) }) else { return false }
    return allowedCIDRs.contains { Network($0)?.contains(address) ?? false }
  }
}

extension Store {
  /// Who sends a key from an address, or why nobody is let in by it.
  ///
  /// That a key was used is noted where that has not been noted for some minutes.
  package func authenticate(_ key: KeyDigest, from address: String?) throws(PostgresError) -> Authentication {
    guard let row = try readAsLogin(Self.authenticate, .bytes(key.bytes)).first else {
      recentCallers?.forget(key)
      return .unknown
    }
    let caller = Caller(tenant: row.text(0), keyID: row.text(1), role: row.role(2), policyEpoch: row.int(3))
    let known = KnownKey(
      caller, secondsLeft: row.intOrNil(5).map { Double($0) / 1_000_000 }, allowedCIDRs: row.texts(4))
    recentCallers?.note(known, key)
    // Also of a call that is refused it is on record whose key it came with.
    actor = Actor(caller, address: address)
    let authentication = known.authentication(from: address)
    if row.bool(6), case .granted = authentication { noteUse(of: caller) }
    return authentication
  }

  /// What the policies of a tenant are at this moment; nil if there is no such tenant.
  package func policyEpoch(tenant: String) throws(PostgresError) -> Int? {
    try readAsLogin(Self.policyEpoch, .text(tenant)).first?.int(0)
  }

  private static let policyEpoch = Statement(
    "policy_epoch",
    """
    SELECT policy_epoch
    FROM tenants
    WHERE tenant_id = $1
    """)

  /// What ``authenticate(_:from:)`` would say of a key that was looked up not long ago; nil of any other.
  package func recentAuthentication(_ key: KeyDigest, from address: String?) -> Authentication? {
    recentCallers?.authentication(key, from: address)
  }

  /// Whose a key was that was looked up only just, if it may be used from an address, and the database can be asked about it.
  package func presumedCaller(_ key: KeyDigest, from address: String?) -> Caller? {
    guard isConnected else { return nil }
    return recentCallers?.presumedCaller(key, from: address)
  }

  /// A caller that was presumed, as of now; nil if its key lets nobody in any more. Of what is known of a key only this changes.
  package func confirm(_ caller: Caller, by key: KeyDigest) throws(PostgresError) -> Caller? {
    let row = try readAsLogin(Self.confirm, .bytes(key.bytes)).first
    return row.map { Caller(caller, in: caller.tenant, policyEpoch: $0.int(0)) }
  }

  /// Whether a proviso holds at this moment, for whoever has nothing to be admitted.
  package func holds(_ proviso: AdmissionProviso) throws(PostgresError) -> Bool {
    try readAsLogin(Self.confirm, .bytes(proviso.key.bytes)).first?.int(0) == proviso.policyEpoch
  }

  private static let confirm = Statement(
    "confirm",
    """
    SELECT policy_epoch
    FROM api_keys
    JOIN tenants USING (tenant_id)
    WHERE digest = $1
      AND \(KnownKey.works)
    """)

  private static let authenticate = Statement(
    "authenticate",
    """
    SELECT
      tenant_id,
      key_id,
      role,
      policy_epoch,
      allowed_cidrs,
      (extract(epoch FROM expires_at - now()) * 1000000)::bigint,
      coalesce(last_used_at < now() - interval '5 minutes', true)
    FROM api_keys
    JOIN tenants USING (tenant_id)
    WHERE digest = $1
      AND revoked_at IS NULL
    """)

  /// Notes that a caller's key is in use. That is worth a write now and then, and no request fails for it: where the database
  /// takes no writes, it is tried again after a minute.
  private func noteUse(of caller: Caller) {
    guard Clock.monotonic >= nextUseNote else { return }
    do {
      try write(Self.noteUse, .text(caller.tenant), .text(caller.keyID))
    } catch {
      nextUseNote = Clock.monotonic + 60
      Log.warning("it could not be noted that a key is in use", ["key": caller.keyID, "reason": "\(error)"])
    }
  }

  /// Of several that note the same use, one does and no other waits for it.
  private static let noteUse = Statement(
    "note_key_use",
    """
    UPDATE api_keys AS key
    SET last_used_at = now()
    FROM (
      SELECT tenant_id, key_id
      FROM api_keys
      WHERE tenant_id = $1
        AND key_id = $2
        AND coalesce(last_used_at < now() - interval '5 minutes', true)
      FOR NO KEY UPDATE SKIP LOCKED
    ) AS idle
    WHERE key.tenant_id = idle.tenant_id
      AND key.key_id = idle.key_id
    """)
}
