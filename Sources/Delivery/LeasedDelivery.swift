import JSON

/// A delivery that is due and that this process alone may attempt until the lease ends.
package struct LeasedDelivery: Sendable {
  /// The tenant whose delivery it is.
  package let tenant: String
  /// The delivery's id.
  package let id: String
  /// What tells this lease from any other of the same delivery.
  package let leaseToken: String
  /// The number of this attempt, from 1.
  package let attempt: Int
  /// The seconds since the delivery was written, by the database's clock.
  package let age: Int
  /// The provider's id.
  package let providerID: String
  /// The provider, or why its stored document is none.
  package let provider: Result<Provider, JSONFaults>
  /// What to tell.
  package let notice: AlertNotice
  /// The e-mail addresses that earlier attempts could not reach; nil for all of the provider's.
  package let recipients: [String]?

  /// A delivery as it was leased.
  package init(
    tenant: String, id: String, leaseToken: String, attempt: Int, age: Int, providerID: String,
    provider: Result<Provider, JSONFaults>, notice: AlertNotice, recipients: [String]?
  ) {
    self.tenant = tenant
    self.id = id
    self.leaseToken = leaseToken
    self.attempt = attempt
    self.age = age
    self.providerID = providerID
    self.provider = provider
    self.notice = notice
    self.recipients = recipients
  }

  /// This attempt, ended, with the status or reply code that the receiver answered.
  package func settled(_ outcome: Outcome, status: Int?) -> Settlement {
    Settlement(tenant: tenant, deliveryID: id, leaseToken: leaseToken, status: status, outcome: outcome)
  }
}

/// The end of a lease: what became of the attempt. It counts only while the delivery is still under that lease.
package struct Settlement: Sendable, Equatable {
  /// The tenant whose delivery it is.
  package let tenant: String
  /// The delivery's id.
  package let deliveryID: String
  /// The lease that ends.
  package let leaseToken: String
  /// The HTTP status or SMTP reply code; nil where the receiver did not answer.
  package let status: Int?
  /// What the attempt leaves the delivery as.
  package let outcome: Outcome
}
