/// Which provider of all tenants'.
package struct ProviderKey: Hashable, Sendable {
  /// The tenant whose provider it is.
  package let tenant: String
  /// The provider's id.
  package let providerID: String

  /// The key of a tenant's provider.
  package init(tenant: String, providerID: String) {
    self.tenant = tenant
    self.providerID = providerID
  }
}

/// How many more deliveries to a provider may be under way.
package struct ProviderRoom: Sendable, Equatable {
  /// The provider.
  package let provider: ProviderKey
  /// How many.
  package let room: Int

  /// Room for so many deliveries to a provider.
  package init(provider: ProviderKey, room: Int) {
    self.provider = provider
    self.room = room
  }
}

/// How fast a receiver may be served.
package struct Pace: Sendable {
  /// The milliseconds between two deliveries.
  package let milliseconds: Int
  /// How many may go at once after a rest.
  package let burst: Int
}

extension ProviderType {
  /// The pace that the receiver's makers ask for; nil where answers alone tell of it. Slack takes one message a second and
  /// channel with short bursts: https://docs.slack.dev/apis/web-api/rate-limits. PagerDuty takes some 120 events a minute and
  /// integration.
  package var pace: Pace? {
    switch self {
    case .slack: Pace(milliseconds: 1000, burst: 3)
    case .pagerDuty: Pace(milliseconds: 500, burst: 5)
    case .webhook, .email: nil
    }
  }
}
