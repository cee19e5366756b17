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
  /// The number of this attempt since the delivery was written or last tried afresh, from 1.
  package let scheduledAttempt: Int
  /// The seconds since the delivery was written or last tried afresh, by the database's clock.
  package let age: Int
  /// What the notice tells of.
  package let event: DeliveryEvent
  /// The provider's id.
  package let providerID: String
  /// The provider, or why nothing can be sent to it.
  package let provider: Result<Provider, UnusableProvider>
  /// What to tell.
  package let notice: AlertNotice
  /// The e-mail addresses that earlier attempts could not reach; nil for all of the provider's.
  package let recipients: [String]?
  /// Whether its end decides if the provider's breaker closes.
  package let isProbe: Bool
  /// Why it is not to be sent, where that is so: it tells the end of something whose beginning never got to the receiver, or that
  /// has not ended for all.
  package let skipReason: String?

  /// A delivery as it was leased.
  package init(
    tenant: String, id: String, leaseToken: String, attempt: Int, scheduledAttempt: Int, age: Int, event: DeliveryEvent,
    providerID: String, provider: Result<Provider, UnusableProvider>, notice: AlertNotice, recipients: [String]?,
    isProbe: Bool, skipReason: String?
  ) {
    self.tenant = tenant
    self.id = id
    self.leaseToken = leaseToken
    self.attempt = attempt
    self.scheduledAttempt = scheduledAttempt
    self.age = age
    self.event = event
    self.providerID = providerID
    self.provider = provider
    self.notice = notice
    self.recipients = recipients
    self.isProbe = isProbe
    self.skipReason = skipReason
  }

  /// The provider's key.
  package var providerKey: ProviderKey { ProviderKey(tenant: tenant, providerID: providerID) }

  /// What this attempt leaves the delivery as, by the provider's schedule; a test is tried once.
  ///
  /// `jitter` is a random number from 0 to 1.
  package func outcome(of verdict: Verdict, from provider: Provider, jitter: Double) -> Outcome {
    let schedule = event == .test ? RetrySchedule(retryLimit: 0) : provider.retrySchedule
    return schedule.outcome(of: verdict, attempt: scheduledAttempt, age: age, jitter: jitter)
  }

  /// What this attempt leaves the delivery as where nothing could be sent for now, by the usual schedule.
  package func outcome(ofWaitingFor reason: String, jitter: Double) -> Outcome {
    RetrySchedule(retryLimit: event == .test ? 0 : nil).outcome(
      of: .retry(after: nil, reason: reason), attempt: scheduledAttempt, age: age, jitter: jitter)
  }

  /// This attempt, ended at a moment, in seconds of the monotonic clock, with what the receiver answered.
  ///
  /// `pauseSeconds` is for how long the receiver wants to be left alone, and `answer` the beginning of what it said, without
  /// secrets.
  package func settled(
    _ outcome: Outcome, startedAt: Double, endedAt: Double, receiver: ReceiverState = .unknown, status: Int? = nil,
    answer: String? = nil, pauseSeconds: Int? = nil
  ) -> Settlement {
    Settlement(
      tenant: tenant, deliveryID: id, leaseToken: leaseToken, isProbe: isProbe, outcome: outcome, startedAt: startedAt,
      endedAt: endedAt, receiver: receiver, status: status, answer: answer, pauseSeconds: pauseSeconds)
  }
}

/// What a delivery tells of; the names are those of the database.
package enum DeliveryEvent: String, Sendable, CaseIterable {
  /// An alert was raised.
  case triggered
  /// Somebody is at it.
  case acknowledged
  /// It is over.
  case resolved
  /// A policy held back more events.
  case digest
  /// Nothing: somebody wants to see whether a provider gets what is sent to it.
  case test
}

/// The end of a lease: what became of the attempt. It counts only while the delivery is still under that lease.
package struct Settlement: Sendable, Equatable {
  /// The tenant whose delivery it is.
  package let tenant: String
  /// The delivery's id.
  package let deliveryID: String
  /// The lease that ends.
  package let leaseToken: String
  /// Whether the attempt decides if the provider's breaker closes.
  package let isProbe: Bool
  /// What the attempt leaves the delivery as.
  package let outcome: Outcome
  /// When the attempt began, in seconds of the monotonic clock.
  package let startedAt: Double
  /// When it ended, by the same clock.
  package let endedAt: Double
  /// How it found the receiver.
  package let receiver: ReceiverState
  /// The HTTP status or SMTP reply code; nil where the receiver did not answer.
  package let status: Int?
  /// The beginning of what the receiver answered, without secrets; nil where it did not answer.
  package let answer: String?
  /// For how many seconds the receiver wants to be left alone; nil where it did not say.
  package let pauseSeconds: Int?
}
