/// What a key may be used for.
package enum Permission: Sendable {
  /// Send events.
  case ingest
  /// Read policies, alerts and all else.
  case view
  /// Acknowledge and resolve alerts, suppress, deliver again.
  case operate
  /// Change policies, rules and providers, and see and change keys.
  case administer
}

/// The kind of a key, a closed set of permissions.
package enum Role: String, CaseIterable, Sendable {
  case ingest, viewer, `operator`, admin

  /// Whether the role includes a permission.
  package func allows(_ permission: Permission) -> Bool {
    switch self {
    case .ingest: permission == .ingest
    case .viewer: permission == .view
    case .operator: permission == .view || permission == .operate
    case .admin: true
    }
  }
}

/// Who sent a request, as its key says, and what the tenant's policies were at that moment.
package struct Caller: Sendable, Equatable {
  /// What the keys of the platform belong to, in the place of a tenant. Such a key acts in the tenant that a call names.
  package static let platform = "*"

  /// The tenant that the call is about; nothing of another tenant is ever reached with it.
  package let tenant: String
  /// The tenant that the key belongs to: the same, or ``platform``.
  package let keyTenant: String
  /// The id of the key, which is no secret; of somebody with a token, `user:` and the name that the identity provider gives.
  package let keyID: String
  /// What the key may be used for.
  package let role: Role
  /// Changes with every change of the tenant's policies, rules and suppressions: what was compiled for an equal epoch holds.
  package let policyEpoch: Int

  /// Whether it is known by a token, and not by a key.
  package let hasToken: Bool

  /// A caller known by a key, or by a token.
  package init(tenant: String, keyID: String, role: Role, policyEpoch: Int, hasToken: Bool = false) {
    self.tenant = tenant
    keyTenant = tenant
    self.keyID = keyID
    self.role = role
    self.policyEpoch = policyEpoch
    self.hasToken = hasToken
  }

  /// Whether the key has yet to be told in which tenant it acts.
  package var isOfPlatform: Bool { tenant == Self.platform }

  /// The caller in a tenant that it acts in, with the policies as they are there now.
  package init(_ caller: Caller, in tenant: String, policyEpoch: Int) {
    self.tenant = tenant
    keyTenant = caller.keyTenant
    keyID = caller.keyID
    role = caller.role
    self.policyEpoch = policyEpoch
    hasToken = caller.hasToken
  }
}
